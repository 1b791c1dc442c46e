import { createServer } from 'node:http';
import type { Attack, StopAttack } from '../programs/model.ts';

const mebibyte = 2 ** 20;

/** An API server that answers every request in the same way. */
export const apiServerAttacks: readonly Attack[] = [
  ofAnswers('a Status of one long message', 30, (size) => ({ status: 500, text: statusText('x'.repeat(size)) })),
  ofAnswers('a Status of small details', 30, (size) => {
    const causes = `${'{},'.repeat(size / 3)}{}`;
    return { status: 403, text: `{"kind":"Status","apiVersion":"v1","details":{"causes":[${causes}]},"code":403}` };
  }),
  ofAnswers('an object of keys as every answer', 15, (size) => {
    const keys = Array.from({ length: size / 10 }, (_, index) => `"${index.toString(36)}":0`);
    return { status: 200, text: `{"kind":"List","apiVersion":"v1","metadata":{${keys.join(',')}},"items":[]}` };
  }),
  ofAnswers('a list of small items', 30, (size) => {
    const text = `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[${'{},'.repeat(size / 3)}{}]}`;
    return { status: 200, text };
  }),
  ofAnswers('watch events of errors with long messages', 15, (size) => {
    return { status: 200, text: `{"type":"ERROR","object":${statusText('x'.repeat(size))}}\n` };
  }),
];

function statusText(message: string): string {
  return `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"${message}","code":500}`;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @param mebibytes of every answer */
function ofAnswers(name: string, mebibytes: number, make: (size: number) => Answer): Attack {
  return {
    name,
    row: 15,
    program: 'serve',
    amount: { full: mebibytes * mebibyte, short: mebibyte / 10 },
    seconds: 20,
    trace: { metric: 'gatehouse_source_watch_failures_total', line: undefined },
    world: { input: 'cluster' },
    start: ({ apiServer }, size) => startServer(apiServer, make(size)),
  };
}

/** Milliseconds until the first request must have arrived: the control plane waits ever longer for its API server. */
const patience = 30_000;

/** Resolves when a request has been answered. */
async function startServer(port: number, { status, text }: Answer): Promise<StopAttack> {
  const bytes = Buffer.from(text);
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => {});
    response.on('close', resolve);
    response.writeHead(status, { 'content-type': 'application/json' }).end(bytes);
  });
  await new Promise<void>((listening, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', listening);
  });
  await Promise.race([answered, new Promise((late) => setTimeout(late, patience))]);
  return () => {
    server.close();
    server.closeAllConnections();
    return 0;
  };
}
