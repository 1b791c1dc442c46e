import type { AccessRequest } from '../../../authz/model.ts';
import type { Stop } from '../../../edges.ts';
import type { Params } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import type { Exchange } from '../../upstream/model.ts';
import type { ClientRequest } from '../model.ts';

/** What a request uses: one thing, or for a method that is not known, everything of each kind. */
export type Uses = readonly AccessRequest[];

/** What a request in flight may use, and who has sent it. */
export interface InFlight {
  readonly uses: Uses;
  readonly request: ClientRequest;
}

/** A request in flight at a target. */
export interface TrackedRequest {
  /** Replaces the client's progress token in the parameters by one that no other request of the session has. */
  forwarded(params: Params): Params;
  /** What the target is told nothing of; see `Exchange`. */
  readonly exchange: Exchange & { readonly about: number };
  readonly stop: Stop;
}

/** The requests of one session that are in flight at targets: what a target says is about one of them. */
export class RequestsInFlight {
  /** By target, and by the progress token that the target knows. */
  readonly #requests = new Map<string, Map<number, InFlight>>();
  readonly #used = new Set<string>();
  #lastToken = 0;

  /**
   * Registers an authorized request as in flight at a target, until it is stopped.
   *
   * @param uses who gets what is said about it may do all of these
   */
  track(target: string, uses: Uses, request: ClientRequest): TrackedRequest {
    const requests = this.#requests.get(target) ?? new Map<number, InFlight>();
    this.#requests.set(target, requests);
    this.#used.add(target);
    this.#lastToken += 1;
    const token = this.#lastToken;
    requests.set(token, { uses, request });
    return {
      forwarded(params) {
        if (params._meta?.progressToken === undefined) return params;
        return changed(params, [{ path: ['_meta', 'progressToken'], value: token }]);
      },
      exchange: { about: token, paused: () => request.sender.pause?.(), headers: request.sender.passedHeaders },
      stop: () => {
        requests.delete(token);
        if (requests.size === 0 && this.#requests.get(target) === requests) this.#requests.delete(target);
      },
    };
  }

  /**
   * Finds the request that a message of a target is about: that on whose stream it has arrived, else the only one in
   * flight there. Over HTTP+SSE nothing else says which, and its stream also reaches clients without a GET stream.
   *
   * @param about see {@link TrackedRequest.exchange}
   */
  find(target: string, about: number | undefined): InFlight | undefined {
    const requests = this.#requests.get(target);
    if (about !== undefined) return requests?.get(about);
    const [only, ...others] = requests?.values() ?? [];
    return others.length > 0 ? undefined : only;
  }

  /** Finds the request with this progress token at a target. */
  withProgress(target: string, token: unknown): InFlight | undefined {
    return typeof token === 'number' ? this.#requests.get(target)?.get(token) : undefined;
  }

  /** What the requests in flight at a target use: a message that may be about any of them is for who may use all. */
  usesAt(target: string): Uses {
    return [...(this.#requests.get(target)?.values() ?? [])].flatMap(({ uses }) => uses);
  }

  /** Returns whether the client has used something of a target: lists connect to all, whose logs are not about it. */
  hasUsed(target: string): boolean {
    return this.#used.has(target);
  }
}
