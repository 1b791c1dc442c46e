import type { Clock } from '../../edges.ts';
import { objectIn, textIn } from '../../json/json.ts';
import { apiErrorText } from '../../kube/api-error.ts';
import type { ApiError } from '../../kube/model.ts';
import type { ApiReader } from './api/reader.ts';
import type { BundleReading, PendingChanges } from './pending-changes.ts';

/** Dependencies of the look at the versions of CRDs. */
export interface CrdVersionsParts {
  readonly reader: ApiReader;
  readonly pending: PendingChanges;
  readonly clock: Clock;
  /** Called when the pending changes may have changed. */
  readonly changed: () => void;
}

/** The CRDs of the Gateway API whose objects are read, sorted. */
const crds = ['gatewayclasses.gateway.networking.k8s.io', 'gateways.gateway.networking.k8s.io'];

/** The annotation of every CRD of a bundle (implementers' guide of the Gateway API). */
const bundleAnnotation = 'gateway.networking.k8s.io/bundle-version';

/** Requests no schemas, which have hundreds of kilobytes; a server that does not support it sends them. */
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/** The longest that the first batch waits for the versions, in milliseconds. */
const timeout = 5_000;

/** Reads the versions of the Gateway API's CRDs. One read at a time: a late answer never replaces a newer one. */
export class CrdVersions {
  readonly #parts: CrdVersionsParts;
  readonly #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #queued = false;

  constructor(parts: CrdVersionsParts) {
    this.#parts = parts;
  }

  /** Reads the versions once more, after the read under way. */
  refresh(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#reading = this.#reading.then(() => this.#read());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    this.#queued = false;
    const { reader, pending, clock, changed } = this.#parts;
    const stopTimer = clock.after(timeout, () => {
      pending.bundleRead(undefined);
      changed();
    });
    const reading = await readBundle(reader, this.#stop.signal);
    stopTimer();
    if (reading === undefined) return;
    pending.bundleRead(reading);
    changed();
  }
}

/** Reads the versions; undefined when `stop` was aborted. */
async function readBundle(reader: ApiReader, stop: AbortSignal): Promise<BundleReading | undefined> {
  const versions: (readonly [crd: string, version: string | undefined])[] = [];
  for (const crd of crds) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`;
    const result = await reader.get(path, stop, metadataOnly);
    if (result === undefined) return undefined;
    if (!result.ok) return unknown(crd, result.error);
    const metadata = objectIn(result.value, 'metadata');
    if (textIn(metadata, 'name') !== crd) return unknown(crd, noCrd);
    versions.push([crd, textIn(objectIn(metadata, 'annotations'), bundleAnnotation)]);
  }
  return { bundle: { known: true, versions }, answered: true };
}

const noCrd: ApiError = { reason: 'unintelligible', message: 'the answer is no such object' };

function unknown(crd: string, error: ApiError): BundleReading {
  const answered = error.reason === 'forbidden' || error.reason === 'not-found';
  const reason = `CustomResourceDefinition ${crd}: ${apiErrorText(error)}`;
  return { bundle: { known: false, reason }, answered };
}
