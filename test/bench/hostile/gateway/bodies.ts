import { connect, type Socket } from 'node:net';
import { attackerAddresses, handshake, mcpHeaders, openSession, sendMcp } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;
/** Just below the 4 MiB of the SDK; and just above the limit of the gateway. */
const amount = { full: 4_190_000, short: 1_100_000 } as const;

const refused: Trace = {
  metric: 'gatehouse_gateway_requests_refused_total',
  labels: { reason: 'body' },
  line: 'a request body was refused',
};

/** Requests at once with such a body. */
const atOnce = 14;

/** Bodies of a caller who has a valid token and may use nothing. The amount is that of bytes. */
export const bodyAttacks: readonly Attack[] = [
  bodies('bodies of small objects', (size) => listWith(`[${'{},'.repeat(size / 3)}{}]`)),
  bodies('bodies of keys', (size) => listWith(`{${keys(size / 10)}}`)),
  bodies('bodies of nested lists', (size) => listWith('['.repeat(size / 2) + ']'.repeat(size / 2))),
  bodies('bodies of one long string', (size) => listWith(`"${'\\u0000'.repeat(size / 6)}"`)),
  bodies('batches of requests', (size) => `[${'{"jsonrpc":"2.0","id":1,"method":"ping"},'.repeat(size / 42)}0]`),
  {
    name: 'bodies that do not end',
    row: 2,
    program: 'gateway',
    amount: { full: 1_000, short: 40 },
    trace: refused,
    start: holdBodies,
  },
  {
    name: 'bodies without a token',
    row: 2,
    program: 'gateway',
    amount,
    trace: { metric: 'gatehouse_gateway_requests_unauthenticated_total', line: 'tokens were refused' },
    start: ({ gateway }, size) => {
      const body = listWith(`[${'{},'.repeat(size / 3)}{}]`);
      return repeat(atOnce, () => sendMcp({ port: gateway, token: 'no', from, message: body, timeout: 60_000 }));
    },
  },
];

function bodies(name: string, text: (size: number) => string): Attack {
  return {
    name,
    row: 2,
    program: 'gateway',
    amount,
    trace: refused,
    async start({ gateway: port, issuerKey }, size) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const session = await openSession({ port, token, from });
      const message = text(size);
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
  const size = 1_000_000;
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
