import { agentgateway } from '../../../src/wire/wire.ts';
import { type AdsClient, type AdsResponse, type AdsStream, createAdsClient } from '../nodes/ads-client.ts';
import { AgentgatewayDataPlane, type Reject } from './data-plane.ts';

const resourceType = agentgateway.resourceType.typeUrl;
const addressType = agentgateway.addressType.type.typeUrl;

/** Responses as a node receives them, by type. */
export interface Received {
  readonly names: readonly string[];
  readonly removed: readonly string[];
}

/**
 * A node of agentgateway over real gRPC: two wildcard requests on a stream, Address first; each response is applied as a
 * whole and answered, with a JSON array where something was rejected. Versions on a new stream are those of 1.4 and later,
 * or empty as before.
 */
export class AgentgatewayNode {
  readonly dataPlane: AgentgatewayDataPlane = new AgentgatewayDataPlane();
  readonly #client: AdsClient;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #sendsVersions: boolean;
  readonly #held = new Map([
    [addressType, new Map<string, string>()],
    [resourceType, new Map<string, string>()],
  ]);
  /** Types that were answered without an error: the proxy accepts requests once both are. */
  readonly #clean = new Set<string>();
  #stream: AdsStream | undefined;
  /** Added to the answer to the next response: what the node says of it by itself. */
  remarks: readonly Reject[] = [];

  constructor(address: string, gateway: string, { sendsVersions = true }: { readonly sendsVersions?: boolean } = {}) {
    const [namespace = '', name = ''] = gateway.split('/');
    this.#client = createAdsClient(address);
    this.#sendsVersions = sendsVersions;
    this.#metadata = {
      NAME: `${name}-pod`,
      NAMESPACE: namespace,
      INSTANCE_IPS: '10.0.0.9',
      NODE_NAME: 'worker',
      role: `${namespace}~${name}`,
      GATEWAY_NAME: name,
    };
  }

  /** Opens a stream, and returns what it received when nothing more arrives. */
  async connect(): Promise<Received> {
    const stream = this.#client.open();
    this.#stream = stream;
    const { NAME, NAMESPACE } = this.#metadata;
    const node = {
      id: `agentgateway~10.0.0.9~${NAME}.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`,
      metadata: this.#metadata,
    };
    for (const [type, held] of this.#held) {
      const known = [...held].map(([name, version]) => [name, this.#sendsVersions ? version : ''] as const);
      stream.request(type, { node, initial: Object.fromEntries(known) });
    }
    return this.settle();
  }

  /** Applies and answers responses until nothing more arrives. Returns those of the Resource type, joined. */
  async settle(): Promise<Received> {
    const received: { names: string[]; removed: string[] } = { names: [], removed: [] };
    for (;;) {
      const responses = (await this.#stream?.untilSilence()) ?? [];
      if (responses.length === 0) return received;
      for (const response of responses) {
        this.#receive(response);
        if (response.typeUrl !== resourceType) continue;
        received.names.push(...response.names);
        received.removed.push(...response.removed);
      }
    }
  }

  /** Loses the connection, and keeps what it holds. */
  disconnect(): void {
    this.#stream?.cancel();
  }

  close(): void {
    this.#client.close();
  }

  /** Whether the proxy accepts requests. */
  get open(): boolean {
    return this.#clean.size === 2;
  }

  /** Whether it knows itself: the second condition of its readiness. */
  get knowsItself(): boolean {
    const { NAME, NAMESPACE } = this.#metadata;
    return [...(this.#held.get(addressType)?.keys() ?? [])].some((uid) => uid.endsWith(`/${NAMESPACE}/${NAME}`));
  }

  #receive(response: AdsResponse): void {
    const { typeUrl, names, messages, removed, versions } = response;
    const updates = names.map((name, position) => ({ name, value: messages[position] ?? Buffer.alloc(0) }));
    const rejects = [...(typeUrl === resourceType ? this.dataPlane.apply(updates, removed) : []), ...this.remarks];
    this.remarks = [];
    const held = this.#held.get(typeUrl);
    const refused = new Set(rejects.flatMap((reject) => ('error' in reject ? [reject.key] : [])));
    for (const name of names) if (!refused.has(name)) held?.set(name, versions[name] ?? '');
    for (const name of removed) held?.delete(name);
    if (refused.size === 0) this.#clean.add(typeUrl);
    if (rejects.length === 0) this.#stream?.ack(response);
    else this.#stream?.nack(response, JSON.stringify(rejects));
  }
}
