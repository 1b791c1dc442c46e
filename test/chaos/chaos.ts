import { parseArgs } from 'node:util';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { type ChaosRun, startChaosRun } from './chaos-run.ts';
import { soak } from './soak.ts';

const usage = `npm run chaos -- [flags]

Churn in a real API server, faults, and a node that checks each response: see test/chaos/checker.ts for what is promised.

  --seed <number>      of all random choices; default: 1
  --minutes <number>   how long faults are played, or the soak lasts; default: 20
  --restarts <number>  restarts the control plane this many times instead, under churn and without other faults
  --soak               churn without faults instead, and the slope of the resident memory

BENCH_ENTRY=dist/main.js starts what \`npm run build\` has made, which starts in a third of the time.
`;

/** Runs one kind of chaos. Prints figures to standard output, and progress to standard error. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      minutes: { type: 'string', default: '20' },
      restarts: { type: 'string' },
      seed: { type: 'string', default: '1' },
      soak: { type: 'boolean', default: false },
    },
  });
  if (values.help === true) return void process.stdout.write(usage);
  const [seed, duration] = [numberOf('seed', values.seed), numberOf('minutes', values.minutes) * 60_000];
  const restarts = values.restarts === undefined ? undefined : numberOf('restarts', values.restarts);
  if (kubeAssets() === undefined) return;
  const began = performance.now();
  const progress = (line: string): void => {
    console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
  };
  // Half of the grace time is waited for, so that not all nodes connect to another replica at once; here is one node.
  const flags = restarts === undefined ? [] : ['--shutdown-grace=200ms'];
  await using run = await startChaosRun(seed, progress, flags);
  if (restarts !== undefined) await restartOften(run, restarts, progress);
  else if (values.soak) console.log(await soak(run, duration, progress));
  else await run.playFaults(duration);
  const report = run.report();
  console.log({ seed, seconds: Math.round((performance.now() - began) / 1000), ...report });
  if (report.violations.length > 0) process.exitCode = 1;
}

async function restartOften(run: ChaosRun, restarts: number, progress: (line: string) => void): Promise<void> {
  for (let at = 1; at <= restarts; at += 1) {
    await run.restart(at % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
    if (at % 10 !== 0 && at !== restarts) continue;
    await run.rest();
    progress(`${at} of ${restarts} restarts, ${run.report().violations.length} violations`);
  }
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${flag} is a number`);
  return value;
}

await main();
