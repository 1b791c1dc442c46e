import type { Dispatcher } from 'undici';
import type { Stop, StopAsync } from '../../edges.ts';

/**
 * Requests of one origin that are open over one agent. undici looks at all of them for each request, and for each
 * connection that is closed: a target with a thousand streams that closes them at once would take a million looks.
 */
const requestsPerAgent = 64;

/** What a request is sent over. */
interface TargetPool {
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** Call it when the request takes no connection any more. Idempotent. */
  readonly release: Stop;
}

/** An agent, and the requests that are open over it by origin. */
interface UsedAgent<A> {
  readonly agent: A;
  readonly open: Map<string, number>;
}

/** The connections to targets, in agents of which the first one with room is used: its connections are used again. */
export class TargetPools<A extends Pick<Dispatcher, 'dispatch' | 'destroy'>> {
  readonly #create: () => A;
  readonly #agents: UsedAgent<A>[] = [];

  constructor(create: () => A) {
    this.#create = create;
  }

  take(origin: string): TargetPool {
    const { agent, open } = this.#withRoom(origin);
    open.set(origin, (open.get(origin) ?? 0) + 1);
    let isOpen = true;
    return {
      dispatcher: agent,
      release() {
        if (!isOpen) return;
        isOpen = false;
        const left = (open.get(origin) ?? 0) - 1;
        if (left > 0) open.set(origin, left);
        else open.delete(origin);
      },
    };
  }

  readonly destroy: StopAsync = async () => {
    await Promise.all(this.#agents.map(({ agent }) => agent.destroy()));
  };

  #withRoom(origin: string): UsedAgent<A> {
    const found = this.#agents.find(({ open }) => (open.get(origin) ?? 0) < requestsPerAgent);
    if (found !== undefined) return found;
    const added = { agent: this.#create(), open: new Map<string, number>() };
    this.#agents.push(added);
    return added;
  }
}
