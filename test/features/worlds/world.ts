import type { Files } from '../../support/worlds/fresh-world.ts';
import type { Told } from '../../support/worlds/told.ts';

/** A small world that shows one clause of what manifests mean. */
export interface World {
  /** The clause, as a sentence. */
  readonly says: string;
  readonly files: Files;
  /** What each Gateway is told. One that is not named is told nothing. */
  readonly serves: Readonly<Record<string, Partial<Told>>>;
}
