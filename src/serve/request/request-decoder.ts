import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { Cursor, delimited } from './protobuf-reader.ts';
import { EntryFinder, type Span } from './reported-entries.ts';
import { type Excess, type RequestLimits, RequestWeight } from './request-cost.ts';
import type { RequestFields } from './request-fields.ts';

/** A request of either variant, as it was written. */
export interface RawRequest {
  readonly kind: 'raw';
  readonly node: Node | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** The message of the `error_detail`; an empty text where that has none. */
  readonly refusal: string | undefined;
  readonly wanted: readonly string[];
  readonly unwanted: readonly string[];
  /** Where the entries lie that say what the node holds from an earlier stream, if it says so. */
  readonly versions: readonly Span[] | undefined;
}

/**
 * Reads the fields of a request that mean something here and passes over all others, so that whatever else a node
 * writes costs next to nothing. A decoder of the whole message makes an object of each detail of an error: of one request
 * of 32 MiB it made more than there was memory for. Throws for bytes that are no message. As everywhere in protobuf, of
 * a field that may stand there once the last counts.
 */
export function readRequest(bytes: Buffer, fields: RequestFields, limits: RequestLimits): RawRequest | Excess {
  return new RequestReader(bytes, fields).read(new RequestWeight(fields, limits));
}

class RequestReader {
  readonly #bytes: Buffer;
  readonly #fields: RequestFields;
  readonly #wanted: string[] = [];
  readonly #unwanted: string[] = [];
  #node: Buffer | undefined;
  #typeUrl = '';
  #nonce = '';
  #refusal: string | undefined;
  #versions: EntryFinder | undefined;

  constructor(bytes: Buffer, fields: RequestFields) {
    this.#bytes = bytes;
    this.#fields = fields;
  }

  read(weight: RequestWeight): RawRequest | Excess {
    const cursor = new Cursor(this.#bytes);
    while (cursor.more) {
      const start = cursor.at;
      const tag = cursor.tag();
      const field = tag >>> 3;
      const end = (tag & 7) === delimited ? cursor.end() : undefined;
      const excess = weight.add(field, end === undefined ? 0 : end - cursor.at);
      if (excess !== undefined) return excess;
      if (end === undefined) cursor.skip(tag);
      else {
        this.#take(field, start, cursor.at, end);
        cursor.at = end;
      }
    }
    return {
      kind: 'raw',
      node: this.#node && Node.decode(this.#node),
      typeUrl: this.#typeUrl,
      nonce: this.#nonce,
      refusal: this.#refusal,
      wanted: this.#wanted,
      unwanted: this.#unwanted,
      versions: this.#versions?.spans,
    };
  }

  #take(field: number, start: number, at: number, end: number): void {
    const bytes = this.#bytes;
    const { versions, wanted, unwanted, typeUrl, nonce, node, errorDetail } = this.#fields;
    // Those first of which there may be many.
    switch (field) {
      case versions:
        this.#versions ??= new EntryFinder(bytes);
        this.#versions.found(start, at, end);
        break;
      case wanted:
        this.#wanted.push(bytes.toString('utf8', at, end));
        break;
      case unwanted:
        this.#unwanted.push(bytes.toString('utf8', at, end));
        break;
      case typeUrl:
        this.#typeUrl = bytes.toString('utf8', at, end);
        break;
      case nonce:
        this.#nonce = bytes.toString('utf8', at, end);
        break;
      case node:
        this.#node = bytes.subarray(at, end);
        break;
      case errorDetail:
        this.#refusal = messageOf(bytes, at, end);
        break;
      default:
    }
  }
}

/** The field `message` of a `google.rpc.Status`; every encoder writes it before the details, which are not read. */
function messageOf(bytes: Buffer, at: number, end: number): string {
  const cursor = new Cursor(bytes, at, end);
  let message = '';
  for (let fields = 0; cursor.more && fields < readOfStatus; fields += 1) {
    const tag = cursor.tag();
    if (tag !== messageTag) {
      cursor.skip(tag);
      continue;
    }
    const textEnd = cursor.end();
    message = bytes.toString('utf8', cursor.at, textEnd);
    cursor.at = textEnd;
  }
  return message;
}

const messageTag = (2 << 3) | delimited;

/** How many fields of a status are looked at. */
const readOfStatus = 32;
