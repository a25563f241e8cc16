#!/usr/bin/env node
// Two providers made of npm's oidc-provider, on loopback: a plain one at PORT and a strict one at PORT + 1.
//
//   provider.mjs FOLDER PORT
//
// FOLDER is where `npm ci` was run. Both: PKCE, device flow, rotating refresh tokens, revocation, introspection, userinfo. The plain one gives
// opaque access tokens, and JWTs to whoever names a resource (RFC 8707). The strict one wants pushed authorization requests (RFC 9126), and a
// client of it gets userinfo as a signed JWT. One client for each algorithm that ID tokens are signed with.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, portText] = process.argv.slice(2);
const port = Number(portText);
const main = createRequire(`${folder}/`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(main).href);

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPES = ["openid", "offline_access", "profile", "email"];

function key(kid, alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), kid, alg, use: "sig" };
}

const keys = [
  key("k-rs256", "RS256", "rsa", { modulusLength: 2048 }),
  key("k-ps256", "PS256", "rsa", { modulusLength: 2048 }),
  key("k-es256", "ES256", "ec", { namedCurve: "P-256" }),
  key("k-eddsa", "EdDSA", "ed25519", {}),
];

// As a program on somebody's machine is registered: no secret, any port on loopback.
function native(id, more = {}) {
  return {
    client_id: id,
    client_name: id,
    application_type: "native",
    token_endpoint_auth_method: "none",
    redirect_uris: ["http://127.0.0.1/callback"],
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token", DEVICE],
    ...more,
  };
}

const signed = (id, alg) => native(id, { id_token_signed_response_alg: alg });

function provider(issuer, strict) {
  return new Provider(issuer, {
    clients: [
      native("toktui"),
      signed("signs-ps256", "PS256"),
      signed("signs-es256", "ES256"),
      signed("signs-eddsa", "EdDSA"),
      native("no-device", { grant_types: ["authorization_code", "refresh_token"] }),
      native("short"),
      native("service", {
        token_endpoint_auth_method: "client_secret_basic",
        client_secret: "service-secret-of-32-characters-x",
      }),
      ...(strict ? [native("userinfo-jwt", { userinfo_signed_response_alg: "ES256" })] : []),
    ],
    jwks: { keys },
    cookies: { keys: ["of the tests"] },
    enabledJWA: {
      idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
      userinfoSigningAlgValues: ["RS256", "ES256"],
    },
    scopes: SCOPES,
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 600,
      RefreshToken: 14 * 86_400,
      DeviceCode: (_ctx, _code, client) => (client.clientId === "short" ? 4 : 600),
      IdToken: 3600,
      Grant: 14 * 86_400,
      Session: 3600,
      Interaction: 600,
    },
    async findAccount(_ctx, sub) {
      const claims = { sub, name: `User ${sub}`, preferred_username: sub, email: `${sub}@example.org`, email_verified: true };
      return { accountId: sub, claims: () => claims };
    },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      jwtUserinfo: { enabled: strict },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: strict },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: "read write",
          audience: resource,
          accessTokenTTL: 300,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
}

for (const [at, strict] of [[port, false], [port + 1, true]]) {
  const server = createServer(provider(`http://127.0.0.1:${at}`, strict).callback());
  await new Promise((done) => server.listen(at, "127.0.0.1", done));
}
