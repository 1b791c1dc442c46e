import type { IncomingMessage } from 'node:http';
import { describe, expect } from 'vitest';
import { decodeStateless, isStateless } from '../../src/gateway/downstream/stateless/stateless-request.ts';
import { withListed } from '../../src/gateway/rpc/param-headers.ts';
import { contradictionOf, decodeHeader, encodeHeader, headersOf } from '../../src/gateway/rpc/repeated-headers.ts';
import { objectIn, parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

describe('a request of MCP 2026-07-28', () => {
  fuzz('says in its headers what its body says, or is refused', {
    corpus: new URL('./corpus/stateless-requests/', import.meta.url),
    dictionary: [
      'mcp-name: ',
      '=?base64?',
      '?=',
      '"method":',
      '"_meta":{',
      '2026-07-28',
      '\n\n',
      '"uri":"a"',
      '\xc3\xa9',
    ],
    run(input) {
      const [head = '', ...rest] = input.toString().split('\n\n');
      const headers = Object.fromEntries(
        head.split('\n').map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      );
      const request = { headers } as unknown as IncomingMessage;
      const body = parseJson(rest.join('\n\n'))?.value;
      if (!isStateless(body, request)) return;
      const decoded = decodeStateless(body, request);
      if (decoded.kind === 'error') expect(decoded.error.status).toBeGreaterThanOrEqual(400);
      if (decoded.kind !== 'request') return;
      const { method, params, capabilities } = decoded.request;
      expect(headers['mcp-method']).toBe(method);
      expect(headers['mcp-protocol-version']).toBe('2026-07-28');
      const name = { 'tools/call': params['name'], 'prompts/get': params['name'], 'resources/read': params['uri'] }[
        method
      ];
      if (typeof name === 'string') expect(decodeHeader(String(headers['mcp-name']))).toBe(name);
      expect(typeof capabilities).toBe('object');
    },
  });

  fuzz('has headers for the parameters that a schema names, which say what the arguments say', {
    corpus: new URL('./corpus/param-headers/', import.meta.url),
    dictionary: [
      '"x-mcp-header":"A"',
      '"properties":{',
      '"type":"string"',
      '"type":"integer"',
      '1e400',
      '-0',
      '\\u0000',
      '{}',
    ],
    run(input) {
      const json = parseJson(input.toString())?.value;
      const { tools, arguments: args } = objectIn({ json }, 'json');
      for (const declared of withListed(undefined, tools, (kept) => kept).byTool.values()) {
        const headers = headersOf(declared, args);
        for (const [header, value] of Object.entries(headers)) {
          expect(header).toMatch(/^mcp-param-[!-~]+$/);
          expect(value).toMatch(/^[ -~]*$/);
          expect(encodeHeader(decodeHeader(value) ?? '')).toBe(value);
        }
        // What is too large for headers is left out, and then it is missing.
        const missing = contradictionOf(declared, args, headers);
        if (missing !== undefined) expect(Object.hasOwn(headers, missing)).toBe(false);
      }
    },
  });
});
