import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { targetType } from '../worlds/hand-made-world.ts';
import { nodeOf } from '../worlds/served-world.ts';
import type { AdsClient, AdsResponse, AdsStream } from './ads-client.ts';

/** A model of a node, which derives its subscription from the text of the xDS protocol and records violations. */
export class ModelNode {
  readonly gateway: string;
  readonly #client: AdsClient;
  readonly #variant: 'delta' | 'state-of-the-world';
  #stream: AdsStream;
  #last: AdsResponse | undefined;
  #held: AdsResponse | undefined;
  #everything = true;
  #legacy = true;
  #names = new Set<string>();
  #nextRefuses = false;
  /** True if the first request of the stream had names. */
  #named = false;
  /** Ports of the resources that were sent and not removed, by name. */
  readonly world: Map<string, number> = new Map();
  readonly #versions = new Map<string, string>();
  /** The resources of the last state-of-the-world response, subscribed or not. */
  #told = new Map<string, number>();
  /** All names of all responses. */
  readonly seen: Set<string> = new Set();
  /** Violations by the server, each with the rule id. */
  readonly broken: string[] = [];
  /** Recently requested names, subscribed or not. */
  #asked = new Set<string>();

  constructor(client: AdsClient, gateway: string, variant: 'delta' | 'state-of-the-world') {
    this.#client = client;
    this.gateway = gateway;
    this.#variant = variant;
    this.#stream = this.#open();
  }

  wants(name: string): boolean {
    return this.#everything || this.#names.has(name);
  }

  subscribe(...names: string[]): void {
    for (const name of names) {
      if (name === '*') this.#everything = true;
      else this.#names.add(name);
    }
    this.#legacy = false;
    this.#wantAgain();
    for (const name of names) this.#asked.add(name);
    this.#ask({ subscribe: names });
  }

  unsubscribe(...names: string[]): void {
    for (const name of names) {
      if (name === '*') this.#everything = false;
      else this.#names.delete(name);
    }
    this.#legacy = false;
    this.#dropUnwanted();
    this.#ask({ unsubscribe: names });
  }

  refuseNext(): void {
    this.#nextRefuses = true;
  }

  /** Reads one response, if there is one, and delays its ACK until the next request or `settle`. */
  async withhold(): Promise<void> {
    if (this.#held !== undefined) return;
    for (const response of await this.#arrivals()) {
      this.#answer();
      this.#held = response;
    }
  }

  /** Opens a new stream with the known versions, or with names only. */
  reconnect(versions: boolean): void {
    this.#stream.cancel();
    this.#held = undefined;
    this.#last = undefined;
    this.#legacy &&= this.#names.size === 0 && this.#everything;
    this.#stream = this.#open(versions);
  }

  /** Acknowledges responses until the server sends no more. */
  async settle(): Promise<void> {
    do this.#answer();
    while (await this.#drained());
    this.#forget();
  }

  /** Forgets requested names that are no longer subscribed: a server that has settled must not send them. */
  #forget(): void {
    this.#asked = new Set(this.#everything ? ['*'] : this.#names);
  }

  async #drained(): Promise<boolean> {
    const arrivals = await this.#arrivals();
    for (const response of arrivals) {
      this.#held = response;
      this.#answer();
    }
    return arrivals.length > 0;
  }

  async #arrivals(): Promise<readonly AdsResponse[]> {
    const arrivals = (await this.#stream.untilSilence()).filter(({ typeUrl }) => typeUrl === targetType);
    if (arrivals.length > 1) this.broken.push('C26: a response before the answer to the one before');
    for (const response of arrivals) this.#apply(response);
    return arrivals;
  }

  #apply(response: AdsResponse): void {
    this.#last = response;
    const targets = response.messages.map((bytes) => Target.decode(bytes));
    const told = [...targets.map(({ name }) => name), ...response.removed];
    if (new Set(told).size !== told.length) this.broken.push(`A13: a name twice in ${told}`);
    for (const { name } of targets) {
      if (!this.#asked.has('*') && !this.#asked.has(name)) this.broken.push(`C7: ${name}, which was not asked for`);
    }
    if (this.#variant === 'state-of-the-world') this.world.clear();
    this.#told = new Map(targets.map(({ name, port }) => [name, port]));
    targets.forEach(({ name, port }, index) => {
      this.seen.add(name);
      this.world.set(name, port);
      this.#versions.set(name, response.versions[response.names[index] ?? ''] ?? '');
    });
    for (const name of response.removed) this.world.delete(name);
    this.#dropUnwanted();
  }

  /**
   * The server ignores a shorter list that crosses a response (rule B10). If the ACK of that response restores the
   * names, the server has never processed the shorter list and sends nothing.
   */
  #wantAgain(): void {
    if (this.#variant !== 'state-of-the-world' || this.#held === undefined) return;
    for (const [name, port] of this.#told) if (this.wants(name)) this.world.set(name, port);
  }

  #dropUnwanted(): void {
    for (const name of this.world.keys()) if (!this.wants(name)) this.world.delete(name);
  }

  #answer(): void {
    const response = this.#held;
    if (response === undefined) return;
    this.#held = undefined;
    const list = { names: this.#list() };
    if (this.#nextRefuses) this.#stream.nack(response, 'refused by chance', list);
    else this.#stream.ack(response, list);
    this.#nextRefuses = false;
  }

  #ask(change: { readonly subscribe?: readonly string[]; readonly unsubscribe?: readonly string[] }): void {
    if (this.#variant === 'delta') {
      // Besides an earlier ACK, or with the nonce of an older response: the lists still apply.
      const nonce = this.#held === undefined ? (this.#last?.nonce ?? '') : '';
      this.#stream.request(targetType, { ...change, nonce });
      return;
    }
    // The list is sent with the pending ACK, or repeats the last one.
    if (this.#held !== undefined) this.#answer();
    else if (this.#last !== undefined) this.#stream.ack(this.#last, { names: this.#list() });
  }

  #list(): readonly string[] {
    if (this.#legacy) return [];
    const list = [...(this.#everything ? ['*'] : []), ...this.#names];
    // In state of the world, an empty list is a wildcard until the first name; an empty name never is.
    return this.#variant === 'state-of-the-world' && list.length === 0 && !this.#named ? [''] : list;
  }

  #open(versions = true): AdsStream {
    const stream = this.#client.open({ variant: this.#variant });
    this.#named = false;
    this.#forget();
    const node = nodeOf(this.gateway);
    const initial = Object.fromEntries(
      [...this.world.keys()].map((name) => [name, versions ? (this.#versions.get(name) ?? '') : '']),
    );
    if (this.#variant === 'state-of-the-world') {
      const names = this.#list();
      this.#named = names.length > 0;
      return stream.request(targetType, { node, names });
    }
    // A first request without names is a wildcard: subscribe to nothing by unsubscribing * in the same request.
    const subscribe = this.#list();
    const nothing = !this.#legacy && subscribe.length === 0;
    return stream.request(targetType, {
      node,
      initial,
      subscribe: nothing ? ['*'] : subscribe,
      unsubscribe: nothing ? ['*'] : [],
    });
  }
}
