import { startChildProcess } from '../child-process.ts';
import { emptyList, sendResult, startBareTarget } from '../hostile/programs/bare-target.ts';
import { signToken } from '../hostile/programs/issuer.ts';
import { addHostileServices } from '../hostile/programs/manifest-folder.ts';
import { startWorld } from '../hostile/programs/world.ts';
import type { Bench, BenchResult, Row } from '../model.ts';
import { quantile } from '../statistics.ts';
import { type BenchCaller, type Call, sseCaller, streamableCaller, toolResult } from './callers.ts';
import type { FromProxy } from './proxy-process.ts';

/** Calls before anything is measured, and calls of one caller, and of each of many. */
const warmUp = 300;
const sequential = 1_000;
const concurrentCallers = 100;
const callsEach = 30;

/**
 * What a call costs beside calling the target itself: through a proxy that looks at nothing, which is the floor of this
 * platform, and through the gateway over both transports. All in one run, since the machine is shared.
 */
export const gatewayBench: Bench = { name: 'gateway', run: (progress) => run(progress) };

/** One way to the tool. */
interface Way {
  readonly name: string;
  open(): Promise<BenchCaller>;
  /** CPU time so far of the process between caller and target, in milliseconds. */
  cpuTime(): number | Promise<number>;
}

async function run(progress: (line: string) => void): Promise<BenchResult> {
  await using world = await startWorld('gateway');
  const { victim, attacked } = world;
  const target = await startBareTarget({
    port: victim.target,
    answer: (message, response) =>
      sendResult(response, message, message.method === 'tools/call' ? toolResult : emptyList),
  });
  const proxy = startChildProcess<{ readonly kind: 'cpu' }, FromProxy>(
    new URL('./proxy-process.ts', import.meta.url),
    String(target.port),
  );
  try {
    const { port: proxyPort } = await proxy.next('listening');
    await addHostileServices(victim, 1);
    const token = await signToken(victim.issuerKey, { sub: 'bench', role: 'reader' });
    const direct = { port: target.port, tool: 'large', token };
    const behind = { port: victim.gateway, tool: 'default/hostile-1:large', token };
    const proxyCpu = async (): Promise<number> => (await proxy.request({ kind: 'cpu' }, 'cpu')).milliseconds;
    const gatewayCpu = (): number => attacked.cpuTime();
    const ways: readonly Way[] = [
      { name: 'direct', open: () => streamableCaller(direct, false), cpuTime: () => 0 },
      { name: 'bare proxy', open: () => streamableCaller({ ...direct, port: proxyPort }, false), cpuTime: proxyCpu },
      { name: 'gateway /mcp', open: () => streamableCaller(behind, true), cpuTime: gatewayCpu },
      { name: 'gateway /sse', open: () => sseCaller(behind), cpuTime: gatewayCpu },
    ];
    const rows: Row[] = [];
    for (const way of ways) {
      progress(way.name);
      rows.push({ name: way.name, figures: await measure(way) });
    }
    const title = 'gateway: one tools/call of a small result; CPU of the process between caller and target';
    return { tables: [{ title, rows }], broken: [] };
  } finally {
    proxy.stop();
    target.close();
  }
}

async function measure({ open, cpuTime }: Way): Promise<Readonly<Record<string, number>>> {
  const callers: BenchCaller[] = [];
  while (callers.length < concurrentCallers) callers.push(await open());
  const [first] = callers;
  if (first === undefined) throw new Error('no caller');
  await repeat(first.call, warmUp);
  const before = await cpuTime();
  const alone = await repeat(first.call, sequential);
  const between = await cpuTime();
  const together = (await Promise.all(callers.map(({ call }) => repeat(call, callsEach)))).flat();
  const after = await cpuTime();
  for (const caller of callers) caller.close();
  return {
    'alone p50, ms': quantile(alone, 0.5),
    'p99, ms': quantile(alone, 0.99),
    'CPU, ms': (between - before) / sequential,
    '100 at once p50, ms': quantile(together, 0.5),
    'their p99, ms': quantile(together, 0.99),
    'their CPU, ms': (after - between) / together.length,
  };
}

/** Calls one time after another, and returns the milliseconds of each. */
async function repeat(call: Call, times: number): Promise<readonly number[]> {
  const milliseconds: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const start = performance.now();
    await call();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}
