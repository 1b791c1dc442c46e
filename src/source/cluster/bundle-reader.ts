import type { Clock } from '../../edges.ts';
import type { ClusterWorld } from './pending-changes.ts';
import { readBundle } from './crd-versions.ts';
import type { KubeReader } from './api/reader.ts';

export interface BundleReaderParts {
  readonly reader: KubeReader;
  readonly world: ClusterWorld;
  readonly clock: Clock;
  /** The world may be different. */
  readonly told: () => void;
}

/** The first batch does not wait longer for the versions of the CRDs. In milliseconds. */
const PATIENCE = 5_000;

/** Asks for the versions of the CRDs whenever it is told to, one time after another: a late answer replaces no newer one. */
export class BundleReader {
  readonly #parts: BundleReaderParts;
  readonly #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #next: 'none' | 'due' = 'none';

  constructor(parts: BundleReaderParts) {
    this.#parts = parts;
  }

  read(): void {
    if (this.#next === 'due') return;
    this.#next = 'due';
    this.#reading = this.#reading.then(() => this.#read());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    this.#next = 'none';
    const { reader, world, clock, told } = this.#parts;
    const patience = clock.after(PATIENCE, () => {
      world.bundle(undefined);
      told();
    });
    const reading = await readBundle(reader, this.#stop.signal);
    patience();
    if (reading === undefined) return;
    world.bundle(reading);
    told();
  }
}
