import type { ApiError } from '../../../kube/model.ts';

/** The part of one reflector in {@link Outages}. */
export interface OutageMember {
  failed(error: ApiError): void;
  succeeded(): void;
  /** True from an outage until a success of this reflector. */
  isAffected(): boolean;
}

/**
 * Tells an outage of the API server from failures of one kind: more than half of all reflectors fail. A server that
 * answers the others and not this one is overloaded by it, or broken for it, and then its backoff is right.
 */
export class Outages {
  readonly #members = new Set<OutageMember>();
  readonly #failing = new Set<OutageMember>();
  readonly #affected = new Set<OutageMember>();
  #hasAnswered = false;

  /** True once the server answered a reflector: by then it knows its roles, and what it forbids is forbidden. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Adds a reflector. */
  join(): OutageMember {
    const member: OutageMember = {
      failed: (error) => {
        if (error.reason === 'expired' || error.reason === 'not-found') return;
        this.#failing.add(member);
        if (2 * this.#failing.size <= this.#members.size) return;
        for (const failing of this.#failing) this.#affected.add(failing);
      },
      succeeded: () => {
        this.#hasAnswered = true;
        this.#failing.delete(member);
        this.#affected.delete(member);
      },
      isAffected: () => this.#affected.has(member),
    };
    this.#members.add(member);
    return member;
  }
}
