#!/usr/bin/env node
// A user who reads pages and fills in forms, without a browser: opens an address of a provider and goes on until the end.
//
//   user.mjs ADDRESS [--user NAME] [--code USERCODE] [--deny]
//
// The last line that it prints says where it ended, without the query, and that page's heading.
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    user: { type: "string", default: "alice" },
    code: { type: "string" },
    deny: { type: "boolean" },
  },
});

const start = new URL(positionals[0]);
const jar = new Map();

async function ask(url, form) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(url, {
    redirect: "manual",
    signal: AbortSignal.timeout(20_000),
    method: form ? "POST" : "GET",
    body: form,
    headers: { accept: "text/html", ...(cookie && { cookie }) },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(";", 1)[0].split(/=(.*)/s);
    if (value) jar.set(name, value);
    else jar.delete(name);
  }
  return answer;
}

const unescaped = (text) =>
  text.replace(/&#39;/g, "'").replace(/&quot;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const attribute = (tag, name) => {
  const found = tag.match(new RegExp(`\\b${name}="([^"]*)"`));
  return found ? unescaped(found[1]) : undefined;
};

// What somebody would type into the fields of a page's form; nothing where the page has none.
function filled(page, url) {
  const form = page.match(/<form[^>]*>[\s\S]*?<\/form>/)?.[0];
  if (!form) return;
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, "name");
    const typed = { login: values.user, password: "password", user_code: attribute(tag, "value") || values.code };
    if (name) fields.set(name, typed[name] ?? attribute(tag, "value") ?? "");
  }
  if (values.deny && fields.has("confirm")) fields.set("abort", "yes");
  return { to: new URL(attribute(form, "action") ?? url.href, url), fields };
}

let url = start;
let answer = await ask(url);
for (let step = 0; step < 30; step += 1) {
  const location = answer.headers.get("location");
  if (location) {
    url = new URL(location, url);
    answer = await ask(url);
    continue;
  }
  const page = await answer.text();
  // The consent page's way out is a link.
  const abort = page.match(/<a href="([^"]*\/abort)"/)?.[1];
  if (values.deny && abort && /name="prompt" value="consent"/.test(page)) {
    url = new URL(unescaped(abort), url);
    answer = await ask(url);
    continue;
  }
  const isThere = url.origin === start.origin && answer.status < 400;
  const form = isThere ? filled(page, url) : undefined;
  if (!form) {
    end(page);
    break;
  }
  url = form.to;
  answer = await ask(url, form.fields);
}

function end(page) {
  const heading = page.match(/<h1>([^<]*)<\/h1>/)?.[1] ?? "";
  console.log(`${url.origin}${url.pathname} ${heading}`);
}
