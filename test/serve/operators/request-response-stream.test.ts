import { connect } from 'node:http2';
import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Quota } from '../../../src/rate/quota.ts';
import { type CallHandler, registerOnDemand } from '../../../src/serve/operators/request-response-stream.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { grpcFrame } from '../../support/nodes/raw-stream.ts';

const paths = { unary: '/test.Echo/Once', streams: '/test.Echo/Each' };
const asIs = (bytes: Buffer): Buffer => bytes;

let answers: Quota;
let log: RecordedLog;
let client: Client;
let port: number;
let loads: PromiseWithResolvers<() => CallHandler>[];

beforeEach(async () => {
  log = createRecordedLog();
  answers = new Quota(100, 1);
  loads = [];
  const load = (): Promise<() => CallHandler> => {
    const loading = Promise.withResolvers<() => CallHandler>();
    loads.push(loading);
    return loading.promise;
  };
  const server = new Server();
  registerOnDemand(server, { unary: [paths.unary], streams: [paths.streams] }, load, { log, answers });
  port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, chosen: number): void => (error === null ? resolve(chosen) : reject(error));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
});

/** Answers each request of a call with its number in the call. */
const counting = (): CallHandler => {
  let count = 0;
  return (request) => {
    count += 1;
    return Buffer.from(`${request} ${count}`);
  };
};

function ask(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const told = (error: ServiceError | null, answer?: Buffer): void =>
      error === null ? resolve(String(answer)) : reject(error);
    client.makeUnaryRequest(paths.unary, asIs, asIs, Buffer.from(text), told);
  });
}

async function askEach(...texts: readonly string[]): Promise<readonly string[]> {
  const call = client.makeBidiStreamRequest(paths.streams, asIs, asIs);
  for (const text of texts) call.write(Buffer.from(text));
  call.end();
  const answers: string[] = [];
  for await (const answer of call) answers.push(String(answer));
  return answers;
}

/** Resolves once the code is being loaded for this time. */
async function loading(times: number): Promise<PromiseWithResolvers<() => CallHandler>> {
  for (;;) {
    const found = loads[times - 1];
    if (found !== undefined) return found;
    await new Promise(setImmediate);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('methods whose code is loaded on demand', () => {
  it('answer every request that arrives before it is loaded, of each call in order, and load it once', async () => {
    const answers = Promise.all([askEach('a', 'b'), ask('c'), askEach('d'), ask('e')]);
    (await loading(1)).resolve(counting);
    expect(await answers).toEqual([['a 1', 'b 2'], 'c 1', ['d 1'], 'e 1']);
    expect(await askEach('f')).toEqual(['f 1']);
    expect(loads).toHaveLength(1);
  });

  it('load nothing for a call without a request', async () => {
    expect(await askEach()).toEqual([]);
    expect(loads).toHaveLength(0);
  });

  it('load it with the next request when that failed, and say so in the log', async () => {
    const answer = ask('a');
    (await loading(1)).reject(new Error('no descriptor is free'));
    await expect(answer).rejects.toMatchObject({ code: status.INTERNAL });
    expect(log.lines.map(({ message }) => message)).toEqual(['an operator could not be answered']);
    const next = askEach('b');
    (await loading(2)).resolve(counting);
    expect(await next).toEqual(['b 1']);
  });
});

describe('answers that are not read', () => {
  const perCall = 40;
  const padded = (): CallHandler => (request) => Buffer.from(String(request).padEnd(perCall));

  it('leave no room for more than there is for all, until their calls have ended', async () => {
    // A client whose windows are closed: nothing of an answer is taken.
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
    onTestFinished(() => session.destroy());
    const calls = Array.from({ length: 3 }, () => {
      const headers = { ':method': 'POST', ':path': paths.streams, 'content-type': 'application/grpc', te: 'trailers' };
      const call = session.request(headers);
      call.on('error', () => {}).write(grpcFrame(Buffer.from('a')));
      return call;
    });
    (await loading(1)).resolve(padded);
    await until(() => answers.total === 2 * perCall);
    await expect(ask('b')).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    for (const call of calls) call.close();
    await until(() => answers.total === 0);
    expect(await ask('c')).toBe('c'.padEnd(perCall));
    await until(() => answers.total === 0);
  });

  it('count while they are made, and what is made of one that is refused no longer', async () => {
    const answer = askEach('a');
    (await loading(1)).resolve(() => (_, { hold }) => {
      hold(60);
      expect(answers.total).toBe(60);
      hold(101);
      return Buffer.alloc(0);
    });
    await expect(answer).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(answers.total).toBe(0);
  });
});
