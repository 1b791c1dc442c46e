import { attackerAddresses, handshake, openSession, sendMcp } from '../programs/http-client.ts';
import { audience, issuerName, signText, signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Tokens that the issuer signs, and that are not what they seem. */
export const tokenAttacks: readonly Attack[] = [
  {
    name: 'tokens with dates that are none',
    row: 13,
    program: 'gateway',
    amount: { full: 8, short: 2 },
    trace: { metric: 'gatehouse_gateway_requests_unauthenticated_total', line: 'tokens were refused' },
    start: forgetDates,
  },
  {
    name: 'one token in every spelling of its signature',
    row: 13,
    program: 'gateway',
    amount: { full: 64, short: 16 },
    trace: { metric: 'gatehouse_gateway_requests_unauthenticated_total', line: 'tokens were refused' },
    start: spellSignatures,
  },
];

const later = '4000000000';

/** Claims about time: none of them may make a token that lasts for ever, or one that is not a token yet. */
const dates: readonly string[] = [
  ...['"exp":1e400', '"exp":1e308', '"exp":253402300800', '"exp":4000000000000', '"exp":-1', '"exp":-1e400'],
  ...['"exp":"4000000000"', '"exp":null', '"exp":true', '"exp":[4000000000]', '"exp":{}', '"exp":0', '"nope":1'],
  ...['1e400', '-1e400', '"0"', 'null', '253402300800', '-1', later].map((nbf) => `"exp":${later},"nbf":${nbf}`),
  ...['1e400', '-1e400', '"0"', '253402300800', '-1', later].map((iat) => `"exp":${later},"iat":${iat}`),
  // The last of two members counts, or none of them.
  ...[`"exp":${later},"exp":1e400`, `"exp":1e400,"e\\u0078p":1`],
];

/** Counts the tokens that open a session. */
async function forgetDates({ gateway: port, issuerKey }: Victim, atOnce: number): Promise<StopAttack> {
  const claims = (date: string): string => `{"iss":"${issuerName}","aud":"${audience}","sub":"guest",${date}}`;
  const tokens = await Promise.all(dates.map((date) => signText(issuerKey, claims(date))));
  let got = 0;
  let sent = 0;
  const stop = repeat(atOnce, async () => {
    const token = tokens[sent % tokens.length] ?? '';
    sent += 1;
    const { status, session } = await sendMcp({ port, token, from, message: handshake });
    if (status === 200 || session !== undefined) got += 1;
  });
  return async () => {
    // Each of them was tried, however soon the attack was stopped.
    while (sent < tokens.length) await new Promise((resolve) => setTimeout(resolve, 10));
    await stop();
    return got;
  };
}

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The last character of 64 bytes has four bits that mean nothing; and what lenient decoders read as the same. */
function spellingsOf(token: string): readonly string[] {
  const [rest, last] = [token.slice(0, -1), base64url.indexOf(token.at(-1) ?? 'A')];
  const unused = Array.from({ length: 16 }, (_, bits) => `${rest}${base64url[(last & 0b110000) | bits]}`);
  const signature = token.slice(token.lastIndexOf('.') + 1);
  const standard = signature.replaceAll('-', '+').replaceAll('_', '/');
  return [...unused, `${token}=`, `${token}==`, token.replace(signature, `${standard}==`)];
}

/**
 * Calls with all spellings of a token without a subject, in a session of the first one. Counts those that are taken for
 * another caller, who would have a share of its own of everything.
 */
async function spellSignatures({ gateway: port, issuerKey }: Victim, atOnce: number): Promise<StopAttack> {
  const spellings = spellingsOf(await signToken(issuerKey, { role: 'reader' }));
  const [first = ''] = spellings;
  const session = await openSession({ port, token: first, from });
  let got = 0;
  let sent = 0;
  const stop = repeat(atOnce, async () => {
    sent += 1;
    const token = spellings[sent % spellings.length] ?? first;
    const params = { name: 'default/honest:wait', arguments: { ms: 200 } };
    const message = { jsonrpc: '2.0', id: sent, method: 'tools/call', params };
    const { status } = await sendMcp({ port, token, session, from, message });
    if (status === 404) got += 1;
  });
  return async () => {
    while (sent < spellings.length) await new Promise((resolve) => setTimeout(resolve, 10));
    await stop();
    return got;
  };
}
