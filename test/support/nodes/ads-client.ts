import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import type { Node } from '../../../src/gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';

/** The tested fields of a response of either variant. */
export interface AdsResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** `version_info`; in the delta variant `system_version_info`. */
  readonly version: string;
  /** `control_plane.identifier`. */
  readonly identifier: string;
  /** Resource names in the order of the response; in state of the world the messages carry no names. */
  readonly names: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  /** The bytes of the resources' messages. */
  readonly messages: readonly Buffer[];
  /** Whether each resource has a time to live; always empty in state of the world. */
  readonly ttls: readonly boolean[];
  /** The type URL of each resource. */
  readonly resourceTypes: readonly string[];
  /** The encoded size of the response. */
  readonly bytes: number;
}

/** The fields of a request; an omitted field is empty on the wire. */
export interface AdsRequestFields {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initial?: Readonly<Record<string, string>>;
  /** State of the world only. */
  readonly names?: readonly string[];
  readonly version?: string;
  readonly nonce?: string;
  /** `error_detail`, which makes the request a NACK. */
  readonly error?: string;
  readonly node?: {
    readonly id?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly clientFeatures?: readonly string[];
  };
}

export interface StreamOptions {
  readonly variant?: 'delta' | 'state-of-the-world';
  readonly headers?: Readonly<Record<string, string>>;
  readonly authority?: string;
}

/** A connection of one scripted node. */
export interface AdsClient {
  open(options?: StreamOptions): AdsStream;
  close(): void;
}

export function createAdsClient(
  address: string,
  channel: ChannelCredentials = credentials.createInsecure(),
): AdsClient {
  const client = new Client(address, channel, {
    'grpc.max_receive_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    open: (options = {}) => new AdsStream(client, options),
    close: () => client.close(),
  };
}

const fenceType = 'type.test/fence';

/** One stream of a scripted node, which sends nothing by itself. */
export class AdsStream {
  readonly #variant: 'delta' | 'state-of-the-world';
  readonly #call: ClientDuplexStream<Buffer, AdsResponse>;
  readonly #responses: AdsResponse[] = [];
  readonly #ended = Promise.withResolvers<StatusObject>();
  #status: StatusObject | undefined;
  #arrived = Promise.withResolvers<void>();
  #fences = 0;
  #fenceNonce = '';

  constructor(client: Client, { variant = 'delta', headers = {}, authority }: StreamOptions) {
    this.#variant = variant;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const method = variant === 'delta' ? ads.deltaAggregatedResources : ads.streamAggregatedResources;
    const decode = variant === 'delta' ? decodeDelta : decodeState;
    const options = authority === undefined ? {} : { host: authority };
    this.#call = client.makeBidiStreamRequest(method.path, (bytes: Buffer) => bytes, decode, metadata, options);
    this.#call.on('data', (response: AdsResponse) => {
      this.#responses.push(response);
      this.#wake();
    });
    this.#call.on('error', () => {});
    this.#call.on('status', (ended: StatusObject) => {
      this.#status = ended;
      this.#ended.resolve(ended);
      this.#wake();
    });
  }

  /** Sends a request for a type; the type may be empty. */
  request(typeUrl: string, fields: AdsRequestFields = {}): this {
    this.#call.write(this.#variant === 'delta' ? encodeDelta(typeUrl, fields) : encodeState(typeUrl, fields));
    return this;
  }

  /** Sends these bytes as one message. */
  raw(bytes: Buffer): this {
    this.#call.write(bytes);
    return this;
  }

  ack({ typeUrl, nonce, version }: AdsResponse, fields: AdsRequestFields = {}): this {
    return this.request(typeUrl, { nonce, version, ...fields });
  }

  nack(response: AdsResponse, error = 'no', fields: AdsRequestFields = {}): this {
    return this.ack(response, { error, ...fields });
  }

  /** The next response, of any type. Rejects if the stream has ended. */
  async next(): Promise<AdsResponse> {
    for (;;) {
      const response = this.#responses.shift();
      if (response !== undefined) return response;
      if (this.#status !== undefined) throw new Error(`the stream ended: ${describe(this.#status)}`);
      await this.#arrived.promise;
    }
  }

  /** Acknowledges the next response, and returns it. */
  async accept(fields: AdsRequestFields = {}): Promise<AdsResponse> {
    const response = await this.next();
    this.ack(response, fields);
    return response;
  }

  /**
   * Checks that the server has no response to earlier requests and changes: it must respond to a request for an unused
   * type, which it processes after those. Rejects if another response arrives first.
   */
  async silence(): Promise<void> {
    const [response] = await this.untilSilence();
    if (response !== undefined) throw new Error(`silence was expected, not ${JSON.stringify(response)}`);
  }

  /** The responses that arrive before the fence of `silence`. */
  async untilSilence(): Promise<readonly AdsResponse[]> {
    // In state of the world, a type without resources has a response only to a new wildcard subscription.
    const state = this.#variant === 'state-of-the-world';
    this.#fences += 1;
    const question = state ? { names: ['*'], nonce: this.#fenceNonce } : { subscribe: [`fence-${this.#fences}`] };
    this.request(fenceType, question);
    const responses: AdsResponse[] = [];
    for (;;) {
      const response = await this.next();
      if (response.typeUrl === fenceType) {
        this.#fenceNonce = response.nonce;
        this.ack(response, state ? { names: [''] } : {});
        return responses;
      }
      responses.push(response);
    }
  }

  /** Half-closes the stream. */
  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Stops reading: the flow-control window of the connection fills, and the server cannot write. */
  stopReading(): void {
    this.#call.pause();
  }

  resumeReading(): void {
    this.#call.resume();
  }

  /** The status with which the stream ended, by name. */
  async ended(): Promise<{ readonly code: string; readonly message: string }> {
    const { code, details } = await this.#ended.promise;
    return { code: status[code] ?? String(code), message: details };
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }
}

function describe({ code, details }: StatusObject): string {
  return `${status[code]} ${details}`;
}

function nodeOf({ node }: AdsRequestFields): Partial<Node> | undefined {
  return (
    node && {
      id: node.id ?? '',
      clientFeatures: [...(node.clientFeatures ?? [])],
      ...(node.metadata && { metadata: node.metadata }),
    }
  );
}

function encodeDelta(typeUrl: string, fields: AdsRequestFields): Buffer {
  const request = DeltaDiscoveryRequest.fromPartial({
    node: nodeOf(fields),
    typeUrl,
    resourceNamesSubscribe: [...(fields.subscribe ?? [])],
    resourceNamesUnsubscribe: [...(fields.unsubscribe ?? [])],
    initialResourceVersions: { ...fields.initial },
    responseNonce: fields.nonce ?? '',
    errorDetail: fields.error === undefined ? undefined : { message: fields.error },
  });
  return Buffer.from(DeltaDiscoveryRequest.encode(request).finish());
}

function encodeState(typeUrl: string, fields: AdsRequestFields): Buffer {
  const request = DiscoveryRequest.fromPartial({
    node: nodeOf(fields),
    typeUrl,
    resourceNames: [...(fields.names ?? [])],
    versionInfo: fields.version ?? '',
    responseNonce: fields.nonce ?? '',
    errorDetail: fields.error === undefined ? undefined : { message: fields.error },
  });
  return Buffer.from(DiscoveryRequest.encode(request).finish());
}

function decodeDelta(bytes: Buffer): AdsResponse {
  const { typeUrl, nonce, systemVersionInfo, controlPlane, resources, removedResources } =
    DeltaDiscoveryResponse.decode(bytes);
  return {
    typeUrl,
    nonce,
    version: systemVersionInfo,
    identifier: controlPlane?.identifier ?? '',
    names: resources.map(({ name }) => name),
    versions: Object.fromEntries(resources.map(({ name, version }) => [name, version])),
    removed: removedResources,
    messages: resources.map(({ resource }) => Buffer.from(resource?.value ?? [])),
    ttls: resources.map(({ ttl }) => ttl !== undefined),
    resourceTypes: resources.map(({ resource }) => resource?.typeUrl ?? ''),
    bytes: bytes.length,
  };
}

function decodeState(bytes: Buffer): AdsResponse {
  const { typeUrl, nonce, versionInfo, controlPlane, resources } = DiscoveryResponse.decode(bytes);
  return {
    typeUrl,
    nonce,
    version: versionInfo,
    identifier: controlPlane?.identifier ?? '',
    names: [],
    versions: {},
    removed: [],
    messages: resources.map(({ value }) => Buffer.from(value)),
    ttls: [],
    resourceTypes: resources.map((resource) => resource.typeUrl),
    bytes: bytes.length,
  };
}
