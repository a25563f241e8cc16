#!/usr/bin/env node
// A user with a real Chromium: opens an address, signs in at Keycloak, and goes on until the end.
//
//   sign-in.mjs ADDRESS [--user NAME] [--deny] [--code USERCODE] [--far]
//
// The last line it prints says where it ended, without the query, and that page's title. With --far the browser is on
// another machine: what it is sent to at the end reaches nobody, and the whole address is printed.
// TOKTUI_TEST_BROWSER names the folder in which `npm install playwright-core` was run.
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const folder = process.env.TOKTUI_TEST_BROWSER;
if (!folder) {
  console.error("sign-in.mjs: TOKTUI_TEST_BROWSER is not set, see .ci/run");
  process.exit(2);
}
const { chromium } = createRequire(`${folder}/`)("playwright-core");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    user: { type: "string", default: "alice" },
    deny: { type: "boolean" },
    code: { type: "string" },
    far: { type: "boolean" },
  },
});

const deadline = Date.now() + 60_000;
const browser = await chromium.launch({
  executablePath: process.env.TOKTUI_TEST_CHROMIUM ?? "/usr/bin/chromium",
  // As root it does not start otherwise. It sees nothing but pages of this machine.
  args: ["--no-sandbox", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const start = new URL(positionals[0]);
  if (values.far) await page.route((url) => url.origin !== start.origin, (route) => route.fulfill({ body: "" }));
  await page.goto(start.href);
  let signedIn = false;
  while (!hasEnded(page, start)) {
    if (Date.now() > deadline) throw new Error(`still at ${where(page)}`);
    if (await shows(page, "#device_user_code")) {
      await page.fill("#device_user_code", values.code ?? "");
      await leave(page, "[type=submit]");
    } else if (await shows(page, "#username")) {
      if (signedIn) throw new Error("name or password were not taken");
      signedIn = true;
      await page.fill("#username", values.user);
      await page.fill("#password", "password");
      await leave(page, "#kc-login");
    } else if (await shows(page, "[name=accept]")) {
      await leave(page, values.deny ? "[name=cancel]" : "[name=accept]");
    } else {
      await page.waitForTimeout(50);
    }
  }
  await page.waitForLoadState("load").catch(() => {});
  console.log(values.far ? page.url() : `${where(page)} ${await page.title()}`);
} finally {
  await browser.close();
}

// At another server's page (the program's own), at the end of a device login, or at an error page.
function hasEnded(page, start) {
  const here = new URL(page.url());
  return here.origin !== start.origin || here.pathname.endsWith("/device/status") || page.isError === true;
}

async function shows(page, selector) {
  if (await page.locator("#kc-error-message").count()) page.isError = true;
  return (await page.locator(selector).count()) > 0;
}

async function leave(page, selector) {
  const before = page.url();
  await page.click(selector);
  await page.waitForURL((url) => url.href !== before).catch(() => {});
}

function where(page) {
  const here = new URL(page.url());
  return here.origin + here.pathname;
}
