import { describe, expect, it } from 'vitest';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig, type TargetRigOptions } from '../../support/gateway/target-rig.ts';
import { ask, key } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

const page = { mode: 'url', elicitationId: 'e1', url: 'https://a.example/connect', message: 'Connect your account' };

/** A target of MCP 2025-11-25 that needs the user to open a page before it does anything. */
const needing =
  (isDone: () => boolean, elicitations: readonly Json[] = [page]): Script =>
  ({ method }) =>
    isDone() || method === 'tools/list'
      ? { result: { content: [] } }
      : { error: { code: -32042, message: 'This needs an account', data: { elicitations } } };

async function start(script: Script, options: TargetRigOptions = {}): Promise<TargetRig> {
  const rig = await startTargetRig(script, options);
  rig.gateway.config.allowAll('n.p', 'me');
  return rig;
}

/** What the target was asked but for its tools, which say which headers a call needs. */
const calls = ({ target }: TargetRig) => target.asked.filter(({ method }) => method !== 'tools/list');

const call = { method: 'tools/call', params: { name: 'a:x', arguments: { n: 1 } } };
const opensPages = { [key('clientCapabilities')]: { elicitation: { url: {} } } };

async function answerTo({ gateway }: TargetRig, method: string, params: Json, meta: Json = opensPages) {
  const response = await ask(gateway, { token: gateway.token('me'), method, params, meta });
  const { result, error }: { readonly result?: Json; readonly error?: Json } = JSON.parse(await response.text());
  return { status: response.status, result, error };
}

describe('the error of a target of MCP 2025-11-25 that the user has to open a page', () => {
  it('asks a client of MCP 2026-07-28 for input, whose repeated request reaches the target as the first one did', async () => {
    let isDone = false;
    await using rig = await start(needing(() => isDone));
    const { elicitationId: _, ...params } = page;
    const inputRequests = { 'elicitation 1': { method: 'elicitation/create', params } };
    const asked = await answerTo(rig, call.method, call.params);
    expect(asked).toMatchObject({ status: 200, result: { resultType: 'input_required', inputRequests } });
    expect(asked.result).not.toHaveProperty('requestState');
    expect(JSON.stringify(asked)).not.toContain('elicitationId');

    const inputResponses = { 'elicitation 1': { action: 'accept' } };
    // The user has agreed, and is not done with the page.
    expect((await answerTo(rig, call.method, { ...call.params, inputResponses })).result).toEqual(asked.result);
    isDone = true;
    expect(await answerTo(rig, call.method, { ...call.params, inputResponses })).toMatchObject({
      result: { resultType: 'complete', content: [] },
    });
    for (const { params } of calls(rig)) {
      expect(params).toMatchObject({ name: 'x', arguments: { n: 1 } });
      expect(params).not.toHaveProperty('inputResponses');
    }
    expect(calls(rig)).toHaveLength(3);
  });

  it.each(['decline', 'cancel', 'anything else', undefined])(
    'is not provoked again when the user does not agree: %s',
    async (action) => {
      await using rig = await start(needing(() => true));
      const params = { ...call.params, inputResponses: { 'elicitation 1': { action } } };
      expect((await answerTo(rig, call.method, params)).error).toEqual({
        code: -32600,
        message: 'The request was not repeated: the user has not agreed to what its target needs first',
      });
      expect(calls(rig)).toEqual([]);
    },
  );

  it.each<[string, Json]>([
    ['nothing', {}],
    ['forms', { elicitation: {} }],
    ['forms, and says so', { elicitation: { form: {} } }],
  ])('tells a client that can do %s what it lacks', async (_, capabilities) => {
    await using rig = await start(needing(() => false));
    expect(await answerTo(rig, call.method, call.params, { [key('clientCapabilities')]: capabilities })).toMatchObject({
      status: 400,
      error: { code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } },
    });
  });
});

describe('the error of a target of MCP 2025-11-25 that the user has to open a page', () => {
  it.each<[string, string, Json, readonly Json[]]>([
    ['of a method that cannot ask', 'completion/complete', { ref: { type: 'ref/prompt', name: 'a:x' } }, [page]],
    ['that names no page', call.method, call.params, []],
    [
      'that names something else',
      call.method,
      call.params,
      [
        { ...page, mode: 'form' },
        { ...page, url: 7 },
      ],
    ],
    ['that names too many', call.method, call.params, Array(17).fill(page)],
  ])('has a code that MCP 2026-07-28 allows, when it is one %s', async (_, method, params, elicitations) => {
    await using rig = await start(needing(() => false, elicitations));
    expect((await answerTo(rig, method, params)).error).toMatchObject({
      code: -32600,
      message: 'This needs an account',
    });
  });

  it('reaches a client of MCP 2025-11-25 as it is, with ids that name the target', async () => {
    await using rig = await start(needing(() => false));
    const client = await rig.open('me', { elicitation: { url: {} } });
    expect((await client.request('tools/call', call.params)).error).toEqual({
      code: -32042,
      message: 'This needs an account',
      data: { elicitations: [{ ...page, elicitationId: 'a:e1' }] },
    });
  });

  it('is not followed by the news that the user is done, which MCP 2026-07-28 does not have', async () => {
    await using rig = await start((_, say) => {
      say('notifications/elicitation/complete', { elicitationId: 'e1' });
      return { result: { content: [] } };
    });
    const response = await ask(rig.gateway, { token: rig.gateway.token('me'), ...call, meta: opensPages });
    expect(await response.text()).not.toContain('elicitation/complete');
  });
});

describe('a result of a target of MCP 2026-07-28 that the user has to open a page', () => {
  const { elicitationId: _, ...params } = page;
  const asking: Script = (request) => {
    const { inputResponses } = request.params;
    if (inputResponses !== undefined) return { result: { content: [], inputResponses } };
    const go = { method: 'elicitation/create', params };
    return { result: { resultType: 'input_required', inputRequests: { go }, requestState: 'its own' } };
  };

  it('asks a client of MCP 2025-11-25, which knows an elicitation by its id', async () => {
    await using rig = await start(asking, { stateless: true });
    const client = await rig.open('me', { elicitation: { url: {} } });
    const ids = new Set<unknown>();
    for (let times = 0; times < 2; times += 1) {
      const { result } = await client.request('tools/call', call.params, {
        said: ({ id, method, params: said }) => {
          expect({ method, params: said }).toEqual({
            method: 'elicitation/create',
            params: { ...params, elicitationId: expect.stringMatching(/^a:./) },
          });
          ids.add(Object(said).elicitationId);
          void client.answer(id, { result: { action: 'accept' } });
        },
      });
      expect(result).toMatchObject({ inputResponses: { go: { action: 'accept' } } });
    }
    expect(ids.size).toBe(2);
  });

  it('is an error for a client that opens no pages: the target was told what it can', async () => {
    await using rig = await start(asking, { stateless: true });
    const client = await rig.open('me', { elicitation: {} });
    expect((await client.request('tools/call', call.params)).error?.message).toBe('Target a does not answer');
    expect(await rig.gateway.log.line('does not answer')).toMatchObject({
      fields: { reason: 'asks for a page that the client cannot open' },
    });
  });
});
