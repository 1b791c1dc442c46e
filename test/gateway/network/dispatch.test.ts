import type { Dispatcher } from 'undici';
import { expect, it } from 'vitest';
import { dispatch } from '../../../src/gateway/network/dispatch.ts';

it('a response that is read for long keeps nothing of what was read with its head', async () => {
  const nothing = (): void => {};
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    rawHeaders: [Buffer.alloc(64 * 1024).subarray(0, 4), Buffer.from('text')],
    abort: nothing,
    pause: nothing,
    resume: nothing,
  };
  const dispatcher: Pick<Dispatcher, 'dispatch'> = {
    dispatch(_, handler) {
      handler.onResponseStart?.(controller, 200, { type: 'text' }, '');
      return true;
    },
  };
  const { signal } = new AbortController();
  const options = { path: '/', method: 'GET', signal, closed: nothing, found: nothing } as const;
  expect((await dispatch(dispatcher, options)).headers).toEqual({ type: 'text' });
  expect(controller.rawHeaders).toBeNull();
});
