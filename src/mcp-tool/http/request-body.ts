import type { IncomingMessage } from 'node:http';
import type { Stop } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { Quota } from '../../rate/quota.ts';

/** The JSON of a request, or the response that refuses it. */
type RequestBody =
  | {
      readonly kind: 'json';
      readonly value: unknown;
      /** Call when the value is needed no more: it counts as held until then. */
      readonly release: Stop;
    }
  | { readonly kind: 'refused'; readonly status: 400 | 413 | 503; readonly message: string };

/** Reads the bodies of both transports, whose sum it limits. What is refused is not parsed. */
export interface RequestBodies {
  /** Rejects when the client disconnects. */
  read(request: Pick<IncomingMessage, 'headers' | 'iterator'>): Promise<RequestBody>;
}

/** Values and depth of a body: ten times what a call of the one tool has, whose document is a single text. */
const bounds = { maxValues: 10_000, maxDepth: 100 } as const;

/** Bodies of the largest size that are held at once; there are as many conversions. */
const maxBodies = 4;

/** Every client may hold all of it: those behind one gateway have one address. */
const share = 1;

/** @param maxBytes of one body */
export function createRequestBodies(maxBytes: number): RequestBodies {
  const held = new Quota(maxBodies * maxBytes, share);
  return {
    async read(request) {
      let bytes = 0;
      const release = (): void => {
        held.release('', bytes);
        bytes = 0;
      };
      const refuse = (status: 400 | 413 | 503, message: string): RequestBody => {
        release();
        return { kind: 'refused', status, message };
      };
      if (Number(request.headers['content-length'] ?? 0) > maxBytes) return refuse(413, tooLarge(maxBytes));
      const chunks: Buffer[] = [];
      try {
        // The response that refuses a body needs the connection.
        for await (const chunk of request.iterator({ destroyOnReturn: false })) {
          const { length } = chunk;
          if (bytes + length > maxBytes) return refuse(413, tooLarge(maxBytes));
          if (!held.acquire('', length)) return refuse(503, 'Too many messages arrive at the same time: try again');
          bytes += length;
          chunks.push(chunk);
        }
      } catch (error) {
        release();
        throw error;
      }
      const parsed = parseBoundedJson(Buffer.concat(chunks).toString('utf8'), bounds);
      switch (parsed.kind) {
        case 'json':
          return { kind: 'json', value: parsed.value, release };
        case 'not-json':
          return refuse(400, 'Could not parse message');
        case 'too-deep':
        case 'too-many-values':
          return refuse(413, `The message has more than ${bounds.maxValues} values or ${bounds.maxDepth} levels`);
      }
    },
  };
}

function tooLarge(maxBytes: number): string {
  return `The message is larger than ${maxBytes} bytes`;
}
