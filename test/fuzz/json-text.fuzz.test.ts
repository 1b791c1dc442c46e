import { describe, expect } from 'vitest';
import { decodeMessage } from '../../src/gateway/rpc/decode-message.ts';
import { changed, encodeMessage, encodePieces, rememberText } from '../../src/gateway/rpc/source-text.ts';
import { parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** The members that are written as they arrived; the others are written anew, without `-0` and numbers beyond a double. */
function passedOn(message: object): readonly unknown[] {
  return ['params', 'result', 'error'].map((name) => Reflect.get(message, name));
}

describe('the text of a message', () => {
  fuzz('means what was parsed, as it was written and with a member that was added', {
    corpus: new URL('./corpus/json-text/', import.meta.url),
    dictionary: [
      '"jsonrpc":"2.0",',
      '"id":1,',
      '"params":',
      '"result":',
      '"_meta":{',
      '\\u0061',
      '"name":1',
      '{}',
      '[]',
      ',',
    ],
    run(input) {
      const text = input.toString();
      const parsed = parseJson(text);
      // What is no JSON is never remembered, and a name that occurs twice where the gateway reads names is refused.
      if (parsed === undefined || rememberText(parsed.value, text) !== undefined) return;
      const messages: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
      for (const message of messages.map(decodeMessage)) {
        if (message === undefined) continue;
        expect(encodePieces(message).join('')).toBe(encodeMessage(message));
        expect(passedOn(JSON.parse(encodeMessage(message)))).toEqual(passedOn(message));
        if (!('result' in message)) continue;
        const result = changed(message.result, [{ path: ['resultType'], value: 'complete' }]);
        expect(JSON.parse(encodeMessage({ ...message, result })).result).toEqual(result);
      }
    },
  });
});
