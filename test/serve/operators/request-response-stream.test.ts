import { Client, credentials, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type CallHandler, registerOnDemand } from '../../../src/serve/operators/request-response-stream.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';

const paths = { unary: '/test.Echo/Once', streams: '/test.Echo/Each' };
const asIs = (bytes: Buffer): Buffer => bytes;

let log: RecordedLog;
let client: Client;
let loads: PromiseWithResolvers<() => CallHandler>[];

beforeEach(async () => {
  log = createRecordedLog();
  loads = [];
  const load = (): Promise<() => CallHandler> => {
    const loading = Promise.withResolvers<() => CallHandler>();
    loads.push(loading);
    return loading.promise;
  };
  const server = new Server();
  registerOnDemand(server, { unary: [paths.unary], streams: [paths.streams] }, load, log);
  const port = await new Promise<number>((resolve, reject) => {
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
