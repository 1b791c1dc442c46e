import { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { type ByteRange, VersionEntryScanner } from './initial-versions.ts';
import { lengthDelimited, ProtobufReader } from './protobuf-reader.ts';
import { type LimitExceeded, type LimitedFields, RequestCost, type RequestLimits } from './request-cost.ts';

/** The numbers of the fields that are decoded, in one protocol variant. All other fields are skipped. */
export interface RequestFields extends LimitedFields {
  readonly typeUrl: number;
  readonly nonce: number;
  readonly errorDetail: number;
}

/** The fields of a DeltaDiscoveryRequest. */
export const deltaFields: RequestFields = {
  node: 1,
  typeUrl: 2,
  subscribe: 3,
  unsubscribe: 4,
  initialVersions: 5,
  nonce: 6,
  errorDetail: 7,
};

/** The fields of a DiscoveryRequest. `subscribe` is `resource_names`. */
export const stateOfTheWorldFields: RequestFields = { node: 2, subscribe: 3, typeUrl: 4, nonce: 5, errorDetail: 6 };

/** A request of either protocol variant, as it was sent. */
export interface RawRequest {
  readonly kind: 'raw';
  readonly node: Node | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** The `message` of `error_detail`, empty if it has none; undefined without an `error_detail`. */
  readonly errorDetail: string | undefined;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** The byte ranges of the entries of `initial_resource_versions`; undefined without entries. */
  readonly initialVersions: readonly ByteRange[] | undefined;
}

/**
 * Decodes the fields that this server uses and skips all others. A generated decoder creates an object per detail of an
 * `error_detail`, which for one request of 32 MiB took more memory than the process had. As in every protobuf decoder,
 * the last occurrence of a singular field counts.
 *
 * @throws {Error} for bytes that are malformed
 */
export function decodeRequest(bytes: Buffer, fields: RequestFields, limits: RequestLimits): RawRequest | LimitExceeded {
  return new RequestDecoder(bytes, fields).decode(new RequestCost(fields, limits));
}

class RequestDecoder {
  readonly #bytes: Buffer;
  readonly #fields: RequestFields;
  readonly #subscribe: string[] = [];
  readonly #unsubscribe: string[] = [];
  #node: Buffer | undefined;
  #typeUrl = '';
  #nonce = '';
  #errorDetail: string | undefined;
  #initialVersions: VersionEntryScanner | undefined;

  constructor(bytes: Buffer, fields: RequestFields) {
    this.#bytes = bytes;
    this.#fields = fields;
  }

  decode(cost: RequestCost): RawRequest | LimitExceeded {
    const reader = new ProtobufReader(this.#bytes);
    while (reader.hasMore) {
      const fieldStart = reader.offset;
      const tag = reader.readTag();
      const field = tag >>> 3;
      const end = (tag & 7) === lengthDelimited ? reader.readEnd() : undefined;
      const exceeded = cost.add(field, end === undefined ? 0 : end - reader.offset);
      if (exceeded !== undefined) return exceeded;
      if (end === undefined) reader.skipField(tag);
      else {
        this.#decodeField(field, fieldStart, reader.offset, end);
        reader.offset = end;
      }
    }
    return {
      kind: 'raw',
      node: this.#node && Node.decode(this.#node),
      typeUrl: this.#typeUrl,
      nonce: this.#nonce,
      errorDetail: this.#errorDetail,
      subscribe: this.#subscribe,
      unsubscribe: this.#unsubscribe,
      initialVersions: this.#initialVersions?.ranges,
    };
  }

  /** Decodes the field whose tag begins at `fieldStart` and whose value lies between `start` and `end`. */
  #decodeField(field: number, fieldStart: number, start: number, end: number): void {
    const bytes = this.#bytes;
    const { initialVersions, subscribe, unsubscribe, typeUrl, nonce, node, errorDetail } = this.#fields;
    // The repeated fields first: a request may have many thousands of them.
    switch (field) {
      case initialVersions:
        this.#initialVersions ??= new VersionEntryScanner(bytes);
        this.#initialVersions.add(fieldStart, start, end);
        break;
      case subscribe:
        this.#subscribe.push(bytes.toString('utf8', start, end));
        break;
      case unsubscribe:
        this.#unsubscribe.push(bytes.toString('utf8', start, end));
        break;
      case typeUrl:
        this.#typeUrl = bytes.toString('utf8', start, end);
        break;
      case nonce:
        this.#nonce = bytes.toString('utf8', start, end);
        break;
      case node:
        this.#node = bytes.subarray(start, end);
        break;
      case errorDetail:
        this.#errorDetail = decodeStatusMessage(bytes, start, end);
        break;
      default:
    }
  }
}

/** Decodes `message` of a `google.rpc.Status`. Every encoder writes it before the details, which are not read. */
function decodeStatusMessage(bytes: Buffer, start: number, end: number): string {
  const reader = new ProtobufReader(bytes, start, end);
  let message = '';
  for (let fields = 0; reader.hasMore && fields < maxStatusFields; fields += 1) {
    const tag = reader.readTag();
    if (tag !== messageTag) {
      reader.skipField(tag);
      continue;
    }
    const textEnd = reader.readEnd();
    message = bytes.toString('utf8', reader.offset, textEnd);
    reader.offset = textEnd;
  }
  return message;
}

const messageTag = (2 << 3) | lengthDelimited;

/** Fields of a status that are read; later ones are ignored. */
const maxStatusFields = 32;
