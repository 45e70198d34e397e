// A partner integration in a real browser: connected in both modes, declined, pressed twice, and
// attacked. The journal of the sandbox says how often credentials were asked for.

import { strict as assert } from "node:assert";
import { Stage, allow, assertConsentPage, browser, stranger } from "./stage.mjs";

const { POPUP_PARTNER, POPUP_SANDBOX, REDIRECT_PARTNER, REDIRECT_SANDBOX, SCREENSHOTS } = process.env;
// Each mode has a browser of its own: a cookie knows no port, and both partners are at localhost.
const redirect = new Stage(await browser(), "redirect", REDIRECT_SANDBOX, REDIRECT_PARTNER, SCREENSHOTS);
const popup = new Stage(await browser(), "popup", POPUP_SANDBOX, POPUP_PARTNER, SCREENSHOTS);
console.log(`version chromium ${redirect.version()}`);
// Navigations to an answer of 4xx are told in the console, by the browser itself.
const REFUSED = ["status of 403", "status of 409"];

await redirect.run("connect, call in both directions, disable", 1, async () => {
  const page = await redirect.tab(`${redirect.sandbox}/pages/apps`);
  await redirect.shot(page, "1-apps");
  await page.getByRole("link", { name: "Example Partner" }).click();
  await redirect.shot(page, "2-setup");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.waitForURL(`${redirect.partner}/sign-in**`);
  await redirect.shot(page, "3-sign-in");
  await redirect.signIn(page);
  await assertConsentPage(page);
  await redirect.shot(page, "4-consent");
  await allow(page).click();
  await page.waitForURL(redirect.setup);
  assert.equal(await page.getByText("Connected", { exact: true }).count(), 1);
  await page.getByLabel("Path of the partner's API").fill("/api/interviews");
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.getByText('"company":"60d1a4e2"').waitFor();
  await redirect.shot(page, "5-connected");
  const partner = await redirect.tab(redirect.partner);
  await partner.getByRole("link", { name: /Read its jobs/ }).click();
  await partner.getByText("Truck Driver").waitFor();
  await redirect.shot(partner, "6-jobs");
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("INTEGRATION_DISABLED").waitFor();
  await redirect.shot(page, "7-disabled");
  assert.equal(await redirect.connection(), "not_connected");
});

await redirect.run("decline", 0, async () => {
  await redirect.consented();
  const page = await redirect.consentPage();
  await page.getByRole("button", { name: "Decline" }).click();
  await page.getByRole("heading", { name: "Declined" }).waitFor();
  await redirect.shot(page, "8-declined");
  assert.equal(await redirect.connection(), "consented");
});

await redirect.run("double click", 1, async () => {
  await redirect.consented();
  await redirect.slow(400);
  const page = await redirect.consentPage();
  await allow(page).dblclick({ noWaitAfter: true });
  await page.waitForURL(redirect.setup);
});

await redirect.run("reload while it runs, and pressed again", 1, async () => {
  await redirect.consented();
  await redirect.slow(6_000);
  const page = await redirect.consentPage();
  const before = await redirect.exchanges();
  await allow(page).click({ noWaitAfter: true });
  while ((await redirect.exchanges()) === before) await page.waitForTimeout(50);
  // SmartRecruiters was asked and does not answer yet: the person loads the page again.
  await page.goto(redirect.visit);
  await allow(page).click();
  await page.getByRole("alert").waitFor();
  await redirect.shot(page, "9-pressed-again");
  // The first attempt goes on without the page that began it.
  const done = page.getByRole("link", { name: /Read its jobs/ });
  await page.goto(redirect.partner);
  while ((await done.count()) === 0) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await page.goto(redirect.setup);
  await page.getByText("Connected", { exact: true }).waitFor();
}, REFUSED);

await redirect.run("back button", 1, async () => {
  await redirect.consented();
  const page = await redirect.consentPage();
  await allow(page).click();
  await page.waitForURL(redirect.setup);
  await page.goBack();
  await page.getByText("is connected with this account already").waitFor();
  await redirect.shot(page, "9-back");
  await page.goForward();
  await page.getByText("Connected", { exact: true }).waitFor();
});

await redirect.run("two tabs", 1, async () => {
  await redirect.consented();
  const [first, second] = [await redirect.consentPage(), await redirect.consentPage()];
  await allow(first).click();
  await first.waitForURL(redirect.setup);
  await allow(second).click();
  await second.getByRole("alert").waitFor();
  await redirect.shot(second, "10-second-tab");
}, REFUSED);

await popup.run("third-party cookies are blocked", 0, async () => {
  const cookie = (extra) => ({ "set-cookie": `third=1; Secure; SameSite=None${extra}` });
  const seen = (request) => ({ body: `<p>${request.headers.cookie ?? "no cookie"}</p>` });
  const other = await stranger({
    "/": () => ({ body: `<iframe src="http://localhost:${other.port}/set"></iframe>` }),
    "/seen": seen,
    "/set": () => ({ body: '<a href="/seen">on</a>', headers: cookie("") }),
  });
  const page = await popup.tab(`http://127.0.0.1:${other.port}/`);
  const frame = page.frameLocator("iframe");
  await frame.getByRole("link").click();
  await frame.getByText("no cookie").waitFor();
  // The same cookie of a first party comes back, so that the frame is what makes the difference.
  await page.goto(`http://localhost:${other.port}/set`);
  await page.getByRole("link").click();
  await page.getByText("third=1").waitFor();
  other.stop();
}, ["favicon", "status of 404"]);

/** Opens the pop-up on the page of SmartRecruiters. */
async function openPopup() {
  const page = await popup.tab(popup.setup);
  await page.getByRole("button", { name: /^Connect/ }).first().click();
  await page.waitForURL(/\/popup\?/);
  return page;
}

await popup.run("connect in a window, when the frame has no session", 1, async () => {
  const page = await openPopup();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Sign in to connect" }).waitFor();
  await popup.shot(page, "1-frame");
  const opening = popup.context.waitForEvent("page");
  await frame.getByRole("link", { name: "Open in a new window" }).click();
  const window = await opening;
  popup.listen(window);
  await window.waitForURL(/\/sign-in/);
  await popup.signIn(window);
  await assertConsentPage(window);
  await popup.shot(window, "2-window");
  await allow(window).click();
  await window.getByRole("heading", { name: "Connected" }).waitFor();
  await popup.shot(window, "3-done");
  // SmartRecruiters notices by itself.
  await page.waitForURL(popup.setup);
  await page.getByText("Connected", { exact: true }).waitFor();
  await popup.shot(page, "4-connected");
});

/**
 * Signs in within the frame, as a form of the partner that is shown there would: the cookie that
 * comes back has to be kept for this pair of sites, although those of third parties are blocked.
 */
async function signInWithin(page) {
  await page.frameLocator("iframe").getByRole("heading", { name: "Sign in to connect" }).waitFor();
  const frame = page.frames().find((it) => it.url().startsWith(popup.partner));
  await frame.evaluate((fields) => {
    const form = Object.assign(document.createElement("form"), { action: "/sign-in", method: "post" });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { name, type: "hidden", value }));
    }
    document.body.append(form);
    form.submit();
  }, { account: "acme", return_to: "/connect?companyId=60d1a4e2" });
}

await popup.run("connect in the frame, with a partitioned cookie", 1, async () => {
  await popup.consented();
  await popup.context.clearCookies();
  const page = await openPopup();
  await signInWithin(page);
  const frame = page.frameLocator("iframe");
  await allow(frame).waitFor();
  const cookies = await popup.context.cookies();
  const [session] = cookies.filter((it) => it.name === "__Host-example-partner");
  const { httpOnly, partitionKey, sameSite, secure } = session;
  assert.deepEqual(
    { httpOnly, partitionKey, sameSite, secure },
    { httpOnly: true, partitionKey: "http://127.0.0.1", sameSite: "None", secure: true },
  );
  await popup.shot(page, "5-consent");
  await allow(frame).dblclick({ noWaitAfter: true });
  await page.waitForURL(popup.setup);
  await page.getByText("Connected", { exact: true }).waitFor();
});

await popup.run("decline in the frame", 0, async () => {
  await popup.consented();
  const page = await openPopup();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: "Decline" }).click();
  await frame.getByRole("heading", { name: "Declined" }).waitFor();
  await popup.shot(page, "6-declined");
  await page.getByRole("link", { name: "Close it now" }).click();
  await page.getByText("Waiting for the partner").waitFor();
});

await popup.run("reload of the answer", 1, async () => {
  await popup.consented();
  const page = await popup.consentPage();
  await allow(page).click();
  await page.getByRole("heading", { name: "Connected" }).waitFor();
  // The browser posts the form again.
  await page.reload();
  await page.getByRole("heading", { name: "Connected" }).waitFor();
});

for (const stage of [redirect, popup]) {
  await stage.run("a form of another site is refused", 0, async () => {
    await stage.consented();
    const own = await stage.consentPage();
    const ticket = await own.locator("input[name=ticket]").getAttribute("value");
    const field = (name, value) => `<input name="${name}" value="${value}">`;
    const form = (action, fields) =>
      `<form method="post" action="${action}">${fields}<button>Win a prize</button></form>`;
    const attack = form(`${stage.partner}/connect`, field("ticket", ticket) + field("decision", "allow"));
    const disable = form(
      `${stage.sandbox}/pages/apps/example-partner/connect`,
      field("company", "60d1a4e2"),
    );
    // The partner is at localhost and the sandbox at 127.0.0.1, so each is attacked from the other.
    const evil = await stranger({
      "/at-partner": () => ({ body: attack }),
      "/at-sandbox": () => ({ body: disable }),
    });
    const page = await stage.tab(`http://127.0.0.1:${evil.port}/at-partner`);
    await page.getByRole("button").click();
    await page.getByRole("heading", { name: "Not allowed" }).waitFor();
    await stage.shot(page, "11-foreign-form");
    await page.goto(`http://localhost:${evil.port}/at-sandbox`);
    await page.getByRole("button").click();
    await page.getByText("forms are posted from the pages of this server only").waitFor();
    evil.stop();
  }, ["status of 403", "status of 404"]);

  await stage.run("a frame of another site is refused", 0, async () => {
    const evil = await stranger({
      "/consent": () => ({ body: `<iframe src="${stage.visit.replaceAll("&", "&amp;")}"></iframe>` }),
      "/setup": () => ({ body: `<iframe src="${stage.setup}"></iframe>` }),
    });
    for (const path of ["consent", "setup"]) {
      const page = await stage.tab(`http://localhost:${evil.port}/${path}`);
      const frame = await page.locator("iframe").elementHandle();
      const content = await frame.contentFrame();
      await content.waitForLoadState();
      const text = await content.locator("body").innerText();
      assert(!text.includes("Example Partner"), `${path} is shown: ${text}`);
      assert.equal(await content.getByRole("button", { name: /Allow|Connect/ }).count(), 0);
    }
    evil.stop();
  }, ["frame-ancestors", "X-Frame-Options", "status of 403", "status of 404"]);
}

for (const scheme of ["light", "dark"]) {
  await redirect.run(`the Credential Manager shows a secret once, in ${scheme}`, 0, async () => {
    const page = await redirect.tab(`${redirect.sandbox}/pages/credentials`);
    await page.emulateMedia({ colorScheme: scheme });
    await page.getByLabel("Credential name").fill(`Export ${scheme}`);
    await page.getByLabel(/^jobs_read/).check();
    await page.getByRole("button", { name: "Generate" }).click();
    const secret = await page.locator("#client-secret").innerText();
    await redirect.shot(page, `12-credentials-${scheme}`);
    await page.reload();
    await page.getByText("shown before").waitFor();
    assert(!(await page.content()).includes(secret), "it is shown again");
    await page.getByRole("button", { name: `Revoke Export ${scheme}` }).click();
    assert.equal(await page.getByText(`Export ${scheme}`).count(), 0);
    await page.goto(`${redirect.sandbox}/pages/partners`);
    await redirect.shot(page, `13-partners-${scheme}`);
  });
}

await Promise.all([redirect, popup].map((stage) => stage.context.close()));
