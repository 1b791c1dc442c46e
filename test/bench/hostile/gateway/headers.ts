import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { attackerAddresses, handshake, mcpHeaders, send } from '../programs/http-client.ts';
import type { Attack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Bytes of a long header: Node reads 16 KiB of headers in all. */
const longest = 15_800;

/** One character of each class that a pattern may treat in a way of its own. */
const fillings = [' ', '\t', '=', '.', '-', 'a', '0', ';', ',', '"', '/', ':', '%', '[', '~', '\u00ff'] as const;

const names = [
  'origin',
  'host',
  'accept',
  'content-type',
  'mcp-session-id',
  'mcp-protocol-version',
  'user-agent',
] as const;

const unauthenticated: Trace = {
  metric: 'gatehouse_gateway_requests_unauthenticated_total',
  line: 'tokens were refused',
};

/** No token, or none that is valid. */
export const headerAttacks: readonly Attack[] = [
  {
    name: 'long Bearer with spaces',
    row: 1,
    program: 'gateway',
    trace: unauthenticated,
    amount: { full: 100, short: 3 },
    start: ({ gateway }, count) =>
      floodOnce(gateway, count, () => ({ authorization: `Bearer a${' '.repeat(longest)}b` })),
  },
  {
    name: 'long Authorization of every character',
    row: 1,
    program: 'gateway',
    trace: unauthenticated,
    amount: { full: 8, short: 1 },
    start: ({ gateway }, atOnce) =>
      repeat(atOnce, (index) => post(gateway, { authorization: `Bearer a${fill(index)}!` })),
  },
  {
    name: 'long headers of every character',
    row: 1,
    program: 'gateway',
    trace: { ...unauthenticated, line: 'requests without a token were refused' },
    amount: { full: 8, short: 1 },
    start: ({ gateway }, atOnce) =>
      repeat(atOnce, (index) => {
        const name = names[Math.floor(Math.random() * names.length)] ?? 'origin';
        return post(gateway, { [name]: `https://a${fill(index)}b` });
      }),
  },
  {
    name: 'tokens with an unknown key id',
    row: 10,
    program: 'gateway',
    trace: unauthenticated,
    amount: { full: 8, short: 1 },
    // The keys are fetched for an unknown id when the last time is half a minute ago.
    seconds: 45,
    start: floodUnknownKeys,
  },
];

function fill(index: number): string {
  const filling = fillings[(index + Math.floor(Math.random() * fillings.length)) % fillings.length] ?? ' ';
  return filling.repeat(longest - 200);
}

function post(port: number, headers: OutgoingHttpHeaders): Promise<unknown> {
  const all = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers };
  return send({
    port,
    method: 'POST',
    path: '/mcp',
    from,
    headers: all,
    body: JSON.stringify(handshake),
    timeout: 60_000,
  });
}

function floodOnce(port: number, count: number, headers: () => OutgoingHttpHeaders): () => number {
  for (let index = 0; index < count; index += 1) void post(port, headers()).catch(() => undefined);
  return () => 0;
}

/** Makes the issuer slow, and sends tokens that are well-formed and name keys that nobody has. */
async function floodUnknownKeys({ gateway, issuer }: Victim, atOnce: number): Promise<() => Promise<number>> {
  await send({ port: issuer, method: 'POST', path: '/delay?ms=4700' });
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = encode({ iss: 'https://issuer.example', aud: 'mcp-gateway', sub: 'x', exp: 4_000_000_000 });
  const stop = repeat(atOnce, () => {
    const header = encode({ alg: 'ES256', kid: randomBytes(9).toString('hex') });
    return post(gateway, mcpHeaders(`${header}.${claims}.${randomBytes(64).toString('base64url')}`, undefined));
  });
  return async () => {
    await stop();
    await send({ port: issuer, method: 'POST', path: '/delay?ms=0' });
    return 0;
  };
}
