import { connect, type Socket } from 'node:net';
import { attackerAddresses, handshake, mcpHeaders, openSession, sendMcp } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;
/** Bodies were 4 MiB at most when these were written: what is below is parsed unless something else bounds it. */
const megabyte = 1_000_000;

/** Bodies of a caller who has a valid token and may use nothing. */
export const bodyAttacks: readonly Attack[] = [
  bodies('bodies of small objects', 14, 2, () => listWith(`[${'{},'.repeat((4 * megabyte) / 3 - 100)}{}]`)),
  bodies('bodies of keys', 3, 1, () => listWith(`{${keys(380_000)}}`)),
  bodies('bodies of nested lists', 3, 1, () => listWith('['.repeat(2 * megabyte) + ']'.repeat(2 * megabyte - 100))),
  bodies('bodies of one long string', 14, 2, () => listWith(`"${'\\u0000'.repeat((4 * megabyte) / 6 - 100)}"`)),
  bodies('batches of requests', 3, 1, () => `[${'{"jsonrpc":"2.0","id":1,"method":"ping"},'.repeat(90_000)}0]`),
  {
    name: 'bodies that do not end',
    row: 2,
    program: 'gateway',
    amount: { full: 1_000, short: 10 },
    start: holdBodies,
  },
  {
    name: 'bodies without a token',
    row: 2,
    program: 'gateway',
    amount: { full: 100, short: 4 },
    start: ({ gateway }, count) => {
      const body = listWith(`[${'{},'.repeat((4 * megabyte) / 3 - 100)}{}]`);
      return repeat(count, () => sendMcp({ port: gateway, token: 'no', from, message: body, timeout: 60_000 }));
    },
  },
];

function bodies(name: string, full: number, short: number, text: () => string): Attack {
  return {
    name,
    row: 2,
    program: 'gateway',
    amount: { full, short },
    async start({ gateway: port, issuerKey }, atOnce) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const session = await openSession({ port, token, from });
      const message = text();
      return repeat(atOnce, () => sendMcp({ port, token, session, from, message, timeout: 120_000 }));
    },
  };
}

/** A `tools/list` request with an additional parameter. */
function listWith(json: string): string {
  return `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":${json}}}`;
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, index) => `"${index.toString(36)}":0`).join(',');
}

/** Sends all of a body but its last byte, on many connections. */
async function holdBodies({ gateway: port, issuerKey }: Victim, count: number): Promise<StopAttack> {
  const token = await signToken(issuerKey, { sub: 'nobody' });
  const size = megabyte;
  const fields = { ...mcpHeaders(token, undefined), host: `127.0.0.1:${port}`, 'content-length': size };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const body = JSON.stringify(handshake).padEnd(size - 1, ' ');
  const request = `POST /mcp HTTP/1.1\r\n${head.join('')}\r\n${body}`;
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(request));
    socket.on('error', () => {});
    sockets.push(socket.resume());
  }
  return () => {
    for (const socket of sockets) socket.destroy();
    return 0;
  };
}
