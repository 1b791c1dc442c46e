import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createDelta } from '../../../src/serve/ads/delta.ts';
import type { AdsProtocol, AdsRequest } from '../../../src/serve/ads/protocol.ts';
import { servedTypes } from '../../../src/serve/ads/resource-types.ts';
import { WatchedType } from '../../../src/serve/ads/watched-type.ts';
import type { Snapshots, View } from '../../../src/snapshot/model.ts';
import { agentgateway } from '../../../src/wire/wire.ts';
import { createManualClock } from '../edges/manual-clock.ts';
import { createRecordedCounters } from '../edges/recorded-counters.ts';
import { deltaRequest, noLimits } from '../nodes/requests.ts';
import { AgentgatewayDataPlane, type Reject, type Release } from './data-plane.ts';

const { typeUrl } = agentgateway.resourceType;
const nothing = (): void => {};

/**
 * One type on one stream of a node, without gRPC: the server's own protocol and ACK state, and the model of the data
 * plane as the receiver. The test decides when a response is answered.
 */
export class ScriptedStream {
  readonly #dataPlane: AgentgatewayDataPlane;
  readonly #versions: Map<string, string>;
  readonly #protocol: AdsProtocol;
  readonly #type: WatchedType;
  readonly #view: () => View;
  readonly #received: () => void;
  #unanswered: string | undefined;
  #nonces = 0;
  readonly rejects: Reject[] = [];
  responses = 0;

  /**
   * @param building called with the View that the next responses lead to, before the first of them is sent
   * @param received called after each response was applied
   */
  constructor(
    snapshots: Snapshots,
    gateway: string,
    node: { readonly dataPlane: AgentgatewayDataPlane; readonly versions: Map<string, string> },
    { building, received }: { building: (view: View) => void; received: () => void },
  ) {
    snapshots.request(typeUrl);
    const served = servedTypes(snapshots, []).get(typeUrl);
    if (served === undefined) throw new Error('the type is not registered');
    this.#dataPlane = node.dataPlane;
    this.#versions = node.versions;
    this.#received = received;
    this.#view = () => snapshots.of(gateway).views.get(typeUrl) ?? served.empty;
    const options = { controlPlane: { identifier: '' }, limits: noLimits, cache: 1 << 20, assembled: nothing };
    // Whatever could be split would be.
    const protocol = createDelta({ ...options, maxBody: 1 });
    this.#protocol = {
      ...protocol,
      buildResponses: (delta, context) => {
        building(context.view);
        return protocol.buildResponses(delta, context);
      },
    };
    this.#type = new WatchedType(served, {
      protocol: this.#protocol,
      diff: (from, to) => snapshots.diff(from, to),
      clock: createManualClock(),
      counters: createRecordedCounters(),
      updates: undefined,
      limits: { ackTimeout: 1000, maxSubscription: 1 << 20 },
      reserve: () => nothing,
      countNames: () => true,
      send: (body) => this.#receive(body),
      end: ({ message }) => {
        throw new Error(message);
      },
      onErrorDetail: nothing,
    });
  }

  /** Sends the first request. @param version what the node says of each name that it holds; its version by default */
  open(version?: ''): void {
    const known = [...this.#versions].map(([name, held]) => [name, version ?? held]);
    this.#request({ initialResourceVersions: Object.fromEntries(known) });
  }

  /** The server may send: after a change, or when a response was answered. */
  push(): void {
    this.#type.sendNext(this.#view());
  }

  /** Answers the last response, as a node does that applied it. Returns false without one. */
  answer(): boolean {
    const nonce = this.#unanswered;
    if (nonce === undefined) return false;
    this.#unanswered = undefined;
    this.#request({ responseNonce: nonce });
    return true;
  }

  /** Answers until nothing more arrives. */
  settle(): void {
    this.push();
    while (this.answer());
  }

  #request(fields: Parameters<typeof deltaRequest>[0]): void {
    const incoming = this.#protocol.decode(deltaRequest({ typeUrl, ...fields }));
    if (incoming.kind !== 'request') throw new Error('not a request');
    const { request }: { readonly request: AdsRequest } = incoming;
    this.#type.receive(request, this.#view());
    this.push();
  }

  #receive(body: Buffer): string {
    this.#nonces += 1;
    this.responses += 1;
    const { resources, removedResources } = DeltaDiscoveryResponse.decode(body);
    const updates = resources.map(({ name, resource }) => ({ name, value: resource?.value ?? Buffer.alloc(0) }));
    this.rejects.push(...this.#dataPlane.apply(updates, removedResources));
    for (const { name, version } of resources) this.#versions.set(name, version);
    for (const name of removedResources) this.#versions.delete(name);
    this.#unanswered = String(this.#nonces);
    this.#received();
    return this.#unanswered;
  }
}

/** The data plane of a node that was sent a whole View. */
export function dataPlaneOf(view: View, release: Release): AgentgatewayDataPlane {
  const dataPlane = new AgentgatewayDataPlane(release);
  const updates = [...view.resources()].map(({ name, deltaField }) => {
    const [resource] = DeltaDiscoveryResponse.decode(deltaField).resources;
    return { name, value: resource?.resource?.value ?? Buffer.alloc(0) };
  });
  const rejects = dataPlane.apply(updates, []);
  if (rejects.length > 0) throw new Error(`rejected: ${JSON.stringify(rejects)}`);
  return dataPlane;
}
