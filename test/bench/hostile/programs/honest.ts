/** The result of one honest request. */
export interface Probe {
  readonly milliseconds: number;
  /** What was wrong with the answer, or that there was none. */
  readonly problem: string | undefined;
  /** What was asked for, where clients ask for several things. */
  readonly kind?: string | undefined;
  /** True: the attackers have no part in what the answer contains. Told of apart: others wait for what they have. */
  readonly isApart?: boolean;
}

/** Clients that do nothing wrong and must not notice an attack. */
export interface HonestClients {
  /** Sends the next few requests, one after another. Never rejects. */
  probe(): Promise<readonly Probe[]>;
  close(): Promise<void>;
}

/** Milliseconds after which an honest client gives a request up. */
const patience = 10_000;

/** Times a request. @param request rejects, or resolves with what was wrong with the answer */
export async function timed(request: () => Promise<string | undefined>, kind?: string): Promise<Probe> {
  const start = performance.now();
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(`no answer within ${patience / 1_000} s`), patience);
  const problem = await Promise.race([request(), late.promise]).catch(String);
  clearTimeout(timer);
  return { milliseconds: performance.now() - start, problem, kind };
}

/** Resolves when a whole round was answered correctly. */
export async function untilServed(clients: HonestClients): Promise<void> {
  let problem: string | undefined;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    problem = (await clients.probe()).find((probe) => probe.problem !== undefined)?.problem;
    if (problem === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`honest clients are not served: ${problem}`);
}
