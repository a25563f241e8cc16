// The providers of the benchmark: npm oidc-provider, with a front that counts, delays, hangs or answers by itself.
//
//   provider.mjs FOLDER PLAIN
//
// FOLDER holds node_modules, cert.pem and key.pem. The first two issuers speak HTTPS; PLAIN more speak HTTP, for the loads in
// which the server's own work would drown what is measured. Prints one line of JSON: the issuers, and the control address.
// Client `steady` keeps its refresh token, `rotating` gets a new one each time and loses all by a replay, as RFC 9700 asks.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, plain] = [resolve(process.argv[2]), Number(process.argv[3] ?? 0)];
const found = createRequire(join(folder, "here.js")).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found).href);

// oidc-provider's own memory forgets the oldest of a thousand entries, which would be the accounts.
const memory = () => {
  const kept = new Map();
  const by = (field) => async (value) => [...kept.values()].find((entry) => entry[field] === value);
  return (model) => ({
    upsert: async (id, entry) => void kept.set(`${model} ${id}`, entry),
    find: async (id) => kept.get(`${model} ${id}`),
    findByUserCode: by("userCode"),
    findByUid: by("uid"),
    destroy: async (id) => void kept.delete(`${model} ${id}`),
    consume: async (id) => void (kept.get(`${model} ${id}`).consumed = Math.floor(Date.now() / 1000)),
    revokeByGrantId: async (grant) => kept.forEach((entry, key) => entry.grantId === grant && kept.delete(key)),
  });
};

const client = (id) => ({
  client_id: id,
  // oidc-agent cannot be a public client here: it sends an empty secret, which the provider refuses.
  client_secret: `${id}-secret-of-the-benchmark-0123456789`,
  token_endpoint_auth_method: "client_secret_basic",
  application_type: "native",
  grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  response_types: ["code"],
  redirect_uris: ["http://127.0.0.1/callback"],
});

const scopes = "openid offline_access";
const issuers = [];

function started(secure) {
  const counts = { token: 0, refused: 0, other: 0 };
  const front = { delay: 0, mode: "real", expires: 3600 };
  let handle;
  const answer = (request, response) => {
    const isToken = request.url === "/token";
    counts[isToken ? "token" : "other"] += 1;
    if (!isToken || front.mode === "real") {
      response.on("finish", () => (counts.refused += response.statusCode >= 400 ? 1 : 0));
      return front.delay && isToken ? setTimeout(handle, front.delay, request, response) : handle(request, response);
    }
    request.resume();
    if (front.mode === "hang") return undefined;
    // A token that differs each time is all that a client can see of a provider's work.
    const body = JSON.stringify({ access_token: `tok-${counts.token}-${Date.now()}`, expires_in: front.expires, token_type: "Bearer", scope: scopes });
    const send = () => response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" }).end(body);
    return request.on("end", () => setTimeout(send, front.delay));
  };
  const server = secure
    ? https.createServer({ cert: readFileSync(join(folder, "cert.pem")), key: readFileSync(join(folder, "key.pem")) }, answer)
    : http.createServer(answer);
  server.keepAliveTimeout = 60_000;
  return new Promise((ready) =>
    server.listen(0, "127.0.0.1", () => {
      const issuer = `${secure ? "https" : "http"}://127.0.0.1:${server.address().port}`;
      const provider = new Provider(issuer, {
        adapter: memory(),
        clients: [client("steady"), client("rotating")],
        scopes: scopes.split(" "),
        features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false } },
        rotateRefreshToken: (ctx) => ctx.oidc.client.clientId === "rotating",
        issueRefreshToken: () => true,
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
        ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 30 * 86_400, Grant: 30 * 86_400, DeviceCode: 600 },
      });
      handle = provider.callback();
      // Nobody sits there to say yes: every device code is approved as soon as it is made.
      provider.on("device_authorization.success", async (ctx, body) => {
        const code = await provider.DeviceCode.find(body.device_code);
        const person = `person-${counts.other}`;
        const at = Math.floor(Date.now() / 1000);
        const grantId = await granted(provider, person, code.clientId);
        Object.assign(code, { accountId: person, grantId, scope: scopes, authTime: at, claims: {}, acr: undefined, amr: undefined });
        await code.save();
      });
      ready({ issuer, provider, counts, front });
    }),
  );
}

async function granted(provider, accountId, clientId) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scopes);
  return grant.save();
}

async function minted({ provider }, accountId, clientId) {
  const grantId = await granted(provider, accountId, clientId);
  const known = await provider.Client.find(clientId);
  const at = Math.floor(Date.now() / 1000);
  const token = new provider.RefreshToken({ accountId, client: known, grantId, gty: "authorization_code", scope: scopes, authTime: at, claims: {} });
  return token.save();
}

for (let number = 0; number < 2 + plain; number += 1) issuers.push(await started(number < 2));

// GET /NUMBER: its counts, which begin anew. POST /NUMBER?delay=MS&mode=real|canned|hang&expires=S:
// how its token endpoint answers. GET /NUMBER/mint?client=ID&person=NAME: a refresh token without a login.
const control = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://control");
  const [, number, verb] = url.pathname.split("/");
  const one = issuers[Number(number)];
  let said;
  if (verb === "mint") {
    said = await minted(one, url.searchParams.get("person"), url.searchParams.get("client"));
  } else if (request.method === "POST") {
    one.front.delay = Number(url.searchParams.get("delay") ?? 0);
    one.front.mode = url.searchParams.get("mode") ?? "real";
    one.front.expires = Number(url.searchParams.get("expires") ?? 3600);
    said = one.front;
  } else {
    said = { ...one.counts };
    Object.assign(one.counts, { token: 0, refused: 0, other: 0 });
  }
  response.end(JSON.stringify(said));
});
control.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ issuers: issuers.map((one) => one.issuer), control: `http://127.0.0.1:${control.address().port}` }));
});
// The one that started us has gone: nobody needs us then.
process.stdin.on("end", () => process.exit()).resume();
