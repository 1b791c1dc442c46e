import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../../support/cluster/kube-apiserver.ts';
import type { Issuer } from '../../support/gateway/issuer.ts';
import type { Bench, BenchResult, BenchSelection, Row } from '../model.ts';
import { type Rig, startRig } from '../nodes/rig.ts';
import { median } from '../statistics.ts';
import { files, requestTokens, signTokens, writeFiles } from './credentials.ts';

/**
 * A thousand nodes that connect at once, and one change that is pushed to them: over plaintext, over TLS, and with a token
 * of its own for each node, which is verified with keys or by a real API server.
 */
export const secureBench: Bench = { name: 'secure', run: benchSecure };

const nodes = 1000;
const targets = 1000;
const defaultRounds = 9;
const pushes = { warmUps: 10, measured: 21 } as const;
/** Milliseconds before all nodes connect, in which the stream rate limit (2,000 a second) recovers. */
const pause = 500;
const names: Readonly<Record<SecurityMode, string>> = {
  plaintext: 'plaintext',
  tls: 'TLS',
  jwks: 'TLS, tokens by JWKS',
  'token-review': 'TLS, tokens by TokenReview',
};

/** What nodes prove, and over which wire. */
export type SecurityMode = 'plaintext' | 'tls' | 'jwks' | 'token-review';

/** Makes a token for each node; none in a mode without. */
type Tokens = () => Promise<readonly string[]>;

interface Measurement {
  readonly mode: SecurityMode;
  readonly rig: Rig;
  readonly tokens: Tokens;
  /** Milliseconds until all nodes have their first response, of each round. */
  readonly storms: number[];
  /** Of each push: microseconds of CPU per node, and milliseconds until the last ACK. */
  readonly cpu: number[];
  readonly acks: number[];
}

/** The API server that reviews tokens, and a kubeconfig of a user who may ask it. */
interface Reviewer {
  readonly api: KubeApiServer;
  readonly kubeconfig: string;
}

async function benchSecure(
  progress: (line: string) => void,
  { rounds = defaultRounds }: BenchSelection,
): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secure-'));
  const issuer = await writeFiles(folder);
  await using api = kubeAssets() === undefined ? undefined : await startKubeApiServer();
  if (api === undefined) progress('no API server (npm run envtest): without TokenReview');
  const all: Measurement[] = [];
  try {
    for (const mode of ['plaintext', 'tls', 'jwks', 'token-review'] as const) {
      if (mode === 'token-review' && api === undefined) continue;
      progress(`${names[mode]}: ${nodes} nodes, ${targets} targets`);
      all.push(await start(mode, folder, issuer, api && { api, kubeconfig: api.kubeconfig() }));
    }
    for (let round = 0; round < rounds; round += 1) {
      progress(`storm ${round + 1} of ${rounds}`);
      for (const one of all) await measureStorm(one);
    }
    progress('pushes');
    for (let round = 0; round < pushes.warmUps + pushes.measured; round += 1) {
      for (const one of all) await measurePush(one, round >= pushes.warmUps);
    }
    return resultOf(all);
  } finally {
    for (const { rig } of all) rig.stop();
    rmSync(folder, { recursive: true });
  }
}

async function start(
  mode: SecurityMode,
  folder: string,
  issuer: Issuer,
  reviewer: Reviewer | undefined,
): Promise<Measurement> {
  const authority = mode === 'plaintext' ? '' : join(folder, files.ca);
  const file = new URL('./server-process.ts', import.meta.url);
  const rig = await startRig({ nodes, authority }, file, mode, folder, String(targets), reviewer?.kubeconfig ?? '');
  const tokens: Record<SecurityMode, Tokens> = {
    plaintext: async () => [],
    tls: async () => [],
    jwks: () => signTokens(issuer, nodes),
    'token-review': async () => (reviewer === undefined ? [] : requestTokens(reviewer.api, nodes)),
  };
  await rig.connect(undefined, await tokens[mode]());
  return { mode, rig, tokens: tokens[mode], storms: [], cpu: [], acks: [] };
}

async function measureStorm({ rig, tokens, storms }: Measurement): Promise<void> {
  await rig.disconnect();
  const shown = await tokens();
  await setTimeout(pause);
  storms.push((await rig.connect(undefined, shown)).milliseconds);
}

async function measurePush({ rig, cpu, acks }: Measurement, counts: boolean): Promise<void> {
  const pushed = await rig.push();
  if (!counts) return;
  cpu.push(pushed.cpu / nodes);
  acks.push(pushed.milliseconds);
}

function resultOf(all: readonly Measurement[]): BenchResult {
  const [plaintext] = all;
  if (plaintext === undefined) return { broken: [], tables: [] };
  const storm = ({ mode, storms }: Measurement): Row => ({
    name: names[mode],
    figures: { 'all answered, ms': median(storms), '× plaintext': median(storms) / median(plaintext.storms) },
  });
  const push = ({ mode, cpu, acks }: Measurement): Row => ({
    name: names[mode],
    figures: {
      'CPU, µs per node': median(cpu),
      '× plaintext': median(cpu) / median(plaintext.cpu),
      'last ACK, ms': median(acks),
      '× plaintext ': median(acks) / median(plaintext.acks),
    },
  });
  return {
    broken: [],
    tables: [
      { title: `secure: ${nodes} nodes at once, ${targets} targets`, rows: all.map(storm) },
      { title: `secure: one changed target for ${nodes} nodes`, rows: all.map(push) },
    ],
  };
}
