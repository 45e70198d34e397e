// The browser, the two servers of a demo, and what is said about them.

import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const COMPANY = "60d1a4e2";
const APP = "example-partner";
const INTEGRATIONS = "/apps-integrations/partner-api/integrations";

/** Starts Chromium with an empty profile that blocks the cookies of third parties. */
export async function browser() {
  const profile = mkdtempSync(join(tmpdir(), "sr-auth-browser-"));
  const blocked = { profile: { block_third_party_cookies: true, cookie_controls_mode: 1 } };
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(blocked));
  const context = await chromium.launchPersistentContext(profile, {
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    executablePath: process.env.CHROMIUM,
    viewport: { height: 900, width: 1100 },
  });
  context.setDefaultTimeout(15_000);
  return context;
}

/** One demo in one mode, seen from a browser. */
export class Stage {
  constructor(context, mode, sandbox, partner, screenshots) {
    Object.assign(this, { context, mode, partner, sandbox, screenshots });
    /** What the console was told since the last time. */
    this.errors = [];
    this.setup = `${sandbox}/pages/apps/${APP}?company=${COMPANY}`;
    const back = encodeURIComponent(this.setup);
    const redirect = mode === "redirect" ? `&redirect=${back}` : "";
    this.visit = `${partner}/connect?companyId=${COMPANY}${redirect}`;
  }

  version() {
    return this.context.browser()?.version() ?? "of an unknown version";
  }

  /** Opens a tab whose console is listened to. */
  async tab(url) {
    const page = await this.context.newPage();
    this.listen(page);
    await page.goto(url);
    return page;
  }

  listen(page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  async admin(method, path, body) {
    const answer = await fetch(`${this.sandbox}/__sandbox/${path}`, {
      body: body && JSON.stringify(body),
      headers: body && { "content-type": "application/json" },
      method,
    });
    assert(answer.ok, `${path}: ${answer.status}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  /** Counts the requests for credentials: the word of SmartRecruiters. */
  async exchanges() {
    const { requests } = await this.admin("GET", "requests");
    return requests.filter((it) => it.method === "POST" && it.path === INTEGRATIONS).length;
  }

  async connection() {
    const all = await this.admin("GET", "integrations");
    return all.find((it) => it.appId === APP && it.companyId === COMPANY).connection;
  }

  /** Has the company unconnected, with its consent given: as on the way to the consent page. */
  async consented() {
    if ((await this.connection()) !== "not_connected") {
      await this.admin("POST", "disable", { appId: APP, companyId: COMPANY });
    }
    await this.admin("POST", "connect", { appId: APP, companyId: COMPANY });
  }

  /** Has the answer to the next exchange take its time. */
  async slow(millis) {
    const effect = { kind: "delay", millis };
    await this.admin("POST", "faults", { effect, target: { path: INTEGRATIONS } });
  }

  async shot(page, name) {
    await page.screenshot({ fullPage: true, path: join(this.screenshots, `${this.mode}-${name}.png`) });
  }

  /** Runs a case: so many exchanges, and nothing in the console but what is expected there. */
  async run(name, expected, play, noise = []) {
    const before = await this.exchanges();
    this.errors = [];
    const pages = new Set(this.context.pages());
    try {
      await play();
      assert.equal((await this.exchanges()) - before, expected, "requests for credentials");
      const unexpected = this.errors.filter((it) => !noise.some((part) => it.includes(part)));
      assert.deepEqual(unexpected, [], "errors in the console");
      console.log(`ok ${this.mode}: ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.error(`${this.mode}: ${name}: ${error.stack}`);
      for (const page of this.context.pages().filter((it) => !pages.has(it))) {
        await this.shot(page, `failed-${name.replaceAll(/\W+/g, "-")}`).catch(() => {});
      }
    }
    // The first tab of all stays, so that the browser does.
    const opened = this.context.pages().filter((page) => !pages.has(page));
    await Promise.all(opened.map((page) => page.close()));
  }

  /** Signs in at the partner, if it asks. */
  async signIn(page, account = "Acme Logistics at Example Partner") {
    if (!page.url().includes("/sign-in")) return;
    await page.getByLabel(account).check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: /^Connect / }).waitFor();
  }

  /** Opens the consent page in a window of its own. */
  async consentPage() {
    const page = await this.tab(this.visit);
    await this.signIn(page);
    return page;
  }
}

export const allow = (page) => page.getByRole("button", { name: "Allow and connect" });

/** Asserts what has to stand on the consent page: both parties, and the scopes of both directions. */
export async function assertConsentPage(page) {
  assert.match(await page.locator("#company").innerText(), /Acme Logistics 60d1a4e2/);
  assert.match(await page.locator("#account").innerText(), /Acme Logistics at Example Partner/);
  const ours = page.getByRole("region", { name: "What Example Partner may do at SmartRecruiters" });
  const theirs = page.getByRole("region", { name: "What SmartRecruiters may do at Example Partner" });
  assert.match(await ours.innerText(), /candidates_read[^]*company_read[^]*jobs_read/);
  assert.match(await theirs.innerText(), /interviews_read/);
}

/** Serves pages of somebody else, and returns where. */
export async function stranger(pages) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://stranger");
    const page = pages[url.pathname];
    const { body, headers } = page ? page(request) : { body: "", headers: {} };
    response.writeHead(page ? 200 : 404, { "content-type": "text/html", ...headers });
    response.end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { port: server.address().port, stop: () => server.close() };
}
