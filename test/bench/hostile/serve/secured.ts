import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectRawTls, type RawTls } from '../../../support/nodes/raw-tls.ts';
import { isSubject, policyWith } from '../../../support/worlds/manifests.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat, runAll } from '../programs/repeat.ts';
import { preface } from './raw-http2.ts';

const [from] = attackerAddresses;

/** What came with TLS and with keys of issuers. */
export const securedAttacks: readonly Attack[] = [
  {
    name: 'handshakes of TLS without an end',
    row: 9,
    program: 'serve',
    trace: { metric: 'gatehouse_xds_handshakes_total', line: undefined },
    amount: { full: 64, short: 4 },
    seconds: 15,
    world: { tls: true },
    start: ({ xds: port }, atOnce) => repeat(atOnce, () => shakeHands(port)),
  },
  {
    name: 'beginnings of a ClientHello',
    row: 9,
    program: 'serve',
    trace: { metric: 'gatehouse_xds_connections_refused_total', line: 'connections are refused' },
    amount: { full: 4_000, short: 50 },
    seconds: 15,
    world: { tls: true },
    start: ({ xds }, count) => holdHandshakes(xds, count),
  },
  {
    name: 'KeyUpdates of many connections at once',
    row: 9,
    program: 'serve',
    trace: {
      metric: 'gatehouse_xds_connections_closed_total',
      line: 'connections are reset because they send TLS records',
    },
    amount: { full: 60, short: 2 },
    seconds: 15,
    world: { tls: true },
    start: ({ xds: port }, count) => repeat(1, () => updateKeys(port, count)),
  },
  {
    name: 'a thousand addresses of keys that do not answer',
    row: 10,
    program: 'serve',
    trace: { metric: 'gatehouse_jwks_fetches_total', labels: { outcome: 'failed' }, line: 'keys cannot be fetched' },
    amount: { full: 1_000, short: 4 },
    seconds: 15,
    world: { tls: true },
    start: publishKeys,
  },
];

function shakeHands(port: number): Promise<void> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, localAddress: from, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connectTls(options, () => socket.destroy());
    socket.on('error', () => {}).on('close', () => resolve());
  });
}

/** Bytes that a connection takes in one read. */
const oneRead = 64 << 10;

/** Opens connections, and sends of each as many KeyUpdates as are read at once, of all at the same moment. */
async function updateKeys(port: number, count: number): Promise<void> {
  const raws: RawTls[] = [];
  await runAll(count, 10, async () => void raws.push(await connectRawTls(port, undefined, preface)));
  const floods = raws.map((raw) => {
    const first = raw.keyUpdate();
    return Buffer.concat([first, ...Array.from({ length: oneRead / first.length }, () => raw.keyUpdate())]);
  });
  const closed = raws.map(({ socket }) => new Promise((resolve) => socket.on('close', resolve)));
  for (const [index, { socket }] of raws.entries()) socket.on('error', () => {}).write(floods[index] ?? '');
  await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, 5_000))]);
  for (const { socket } of raws) socket.destroy();
}

/** A record of a handshake, of the largest size, and as much of it as comes before the end. */
const clientHello = Buffer.concat([Buffer.from([22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3]), Buffer.alloc(1_000)]);

/** Keeps connections open in the middle of a handshake; one that is closed is opened again. */
function holdHandshakes(port: number, count: number): StopAttack {
  const open = new Set<Socket>();
  const timer = setInterval(() => {
    for (let missing = Math.min(100, count - open.size); missing > 0; missing -= 1) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(clientHello));
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
      socket.resume();
    }
  }, 25);
  return () => {
    clearInterval(timer);
    for (const socket of open) socket.destroy();
    return 0;
  };
}

/** Policies whose issuers' keys are at addresses that nobody answers at, each with another path in each turn. */
function publishKeys({ folder }: Victim, count: number): StopAttack {
  const rule = `{ matches: [${isSubject('nobody')}], resource: { kind: tool, name: "default/none:none" } }`;
  let turns = 0;
  const write = (): void => {
    turns += 1;
    const policies = Array.from({ length: count }, (_, index) => {
      const uri = `http://10.255.255.${1 + (index % 250)}/keys-${turns}-${index}`;
      const jwt = `{ providers: [{ issuer: me, audiences: [me.com], jwks: { uri: "${uri}" } }] }`;
      return policyWith(`default/keys-${index}`, '[{ name: gw }]', `[${rule}], jwt: ${jwt}`);
    });
    writeManifest(folder, 'keys.yaml', policies.join('---\n'));
  };
  write();
  const timer = setInterval(write, 4_000);
  return () => {
    clearInterval(timer);
    removeManifest(folder, 'keys.yaml');
    return 0;
  };
}
