import { configType, targetType } from '../worlds/hand-made-world.ts';
import { type HeldResource, heldResources, readResource, type VersionedResources } from '../worlds/held-resources.ts';
import { nodeOf } from '../worlds/served-world.ts';
import {
  type AdsClient,
  type AdsRequestFields,
  type AdsResponse,
  type AdsStream,
  createAdsClient,
} from './ads-client.ts';

/** The claims of a node about its Gateway; by default the role in its metadata, as the deployed binaries send it. */
export interface NodeClaims {
  readonly node?: NonNullable<AdsRequestFields['node']>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authority?: string;
}

const fenceType = 'type.test/fence';
const types = [targetType, configType];

/**
 * A node over real gRPC that behaves as the binaries of spring 2025: two requests on open; each response is applied and
 * acknowledged at once (resources first, then removals, by the data plane's key); each later stream reports all held
 * names with an empty version.
 */
export class GatewayNode {
  readonly gateway: string;
  readonly #client: AdsClient;
  readonly #claims: NodeClaims;
  readonly #held = new Map(types.map((type) => [type, new Map<string, HeldResource>()]));
  #stream: AdsStream | undefined;
  #following: Promise<void> = Promise.resolve();
  #responses = 0;
  #fences = 0;
  #fenced: string | undefined;
  #broken: unknown;
  #woken = Promise.withResolvers<void>();

  constructor(address: string, gateway: string, claims: NodeClaims = { node: nodeOf(gateway) }) {
    this.gateway = gateway;
    this.#client = createAdsClient(address);
    this.#claims = claims;
  }

  /** Opens a stream that reports the names held from earlier ones. */
  connect(): this {
    const { node, headers, authority } = this.#claims;
    const stream = this.#client.open({ ...(headers && { headers }), ...(authority && { authority }) });
    this.#stream = stream;
    this.#broken = undefined;
    for (const type of types) {
      const remembered = [...(this.#held.get(type)?.keys() ?? [])].map((name) => [name, '']);
      stream.request(type, { ...(node && { node }), initial: Object.fromEntries(remembered) });
    }
    this.#following = this.#follow(stream);
    return this;
  }

  /** Cancels the stream, and keeps the resources. */
  async disconnect(): Promise<void> {
    this.#stream?.cancel();
    this.#stream = undefined;
    await this.#following;
  }

  /** Settles once the server has responded to a request that was sent after the last ACK, with no push in between. */
  async settled(): Promise<VersionedResources> {
    for (;;) {
      const before = this.#responses;
      await this.#fence();
      if (this.#responses === before) return this.holds();
    }
  }

  holds(): VersionedResources {
    return heldResources([...this.#held.values()].flatMap((resources) => [...resources.values()]));
  }

  /** The status with which the server ended the stream. */
  async ended(): Promise<{ readonly code: string; readonly message: string }> {
    if (this.#stream === undefined) throw new Error('the node is not connected');
    return this.#stream.ended();
  }

  /** The number of applied responses on all streams. */
  get responses(): number {
    return this.#responses;
  }

  async close(): Promise<void> {
    await this.disconnect();
    this.#client.close();
  }

  async #fence(): Promise<void> {
    this.#fences += 1;
    const name = `fence-${this.#fences}`;
    this.#stream?.request(fenceType, { subscribe: [name], unsubscribe: [`fence-${this.#fences - 1}`] });
    while (this.#fenced !== name) {
      if (this.#broken !== undefined) throw this.#broken;
      await this.#woken.promise;
    }
  }

  async #follow(stream: AdsStream): Promise<void> {
    try {
      for (;;) {
        const response = await stream.next();
        if (response.typeUrl === fenceType) this.#fenced = response.removed.at(-1);
        else this.#apply(response);
        stream.ack(response);
        this.#wake();
      }
    } catch (error) {
      this.#broken = error;
      this.#wake();
    }
  }

  #apply({ typeUrl, names, messages, versions, removed }: AdsResponse): void {
    this.#responses += 1;
    const held = this.#held.get(typeUrl);
    if (held === undefined) throw new Error(`nobody asked for ${typeUrl}`);
    for (const [position, bytes] of messages.entries()) {
      const name = names[position] ?? '';
      const resource = readResource(typeUrl, bytes, versions[name] ?? '');
      held.set(resource.key, resource);
    }
    for (const name of removed) held.delete(name);
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}
