import { objectIn, textIn } from '../../json/json.ts';
import type { BundleVersions } from '../model.ts';
import type { KubeFailure } from '../../kube/api-error.ts';
import type { KubeReader } from './api/reader.ts';

/** The CRDs of the Gateway API that we read objects of, sorted. */
const CRDS = ['gatewayclasses.gateway.networking.k8s.io', 'gateways.gateway.networking.k8s.io'];

/** Every CRD of a bundle carries it (implementers' guide of the Gateway API). */
const ANNOTATION = 'gateway.networking.k8s.io/bundle-version';

/** Without the schemas, which are hundreds of kilobytes; a server that does not know how sends them all the same. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/** What was read, and whether it is an answer: an outage says nothing about versions. */
export interface BundleReading {
  readonly bundle: BundleVersions;
  readonly answered: boolean;
}

/** Asks which bundle the CRDs are of. Undefined when `stop` was given. */
export async function readBundle(reader: KubeReader, stop: AbortSignal): Promise<BundleReading | undefined> {
  const versions: (readonly [crd: string, version: string | undefined])[] = [];
  for (const crd of CRDS) {
    const answer = await reader.get(
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`,
      stop,
      METADATA_ONLY,
    );
    if (answer === undefined) return undefined;
    if (!answer.ok) return unknown(`CustomResourceDefinition ${crd}: ${answer.failure.message}`, answer.failure);
    const metadata = objectIn(answer.value, 'metadata');
    if (textIn(metadata, 'name') !== crd) return unknown(`CustomResourceDefinition ${crd}: ${noCrd.message}`, noCrd);
    const annotations = objectIn(metadata, 'annotations');
    versions.push([crd, textIn(annotations, ANNOTATION)]);
  }
  return { bundle: { known: true, versions }, answered: true };
}

const noCrd: KubeFailure = { reason: 'unintelligible', message: 'the answer is no such object' };

function unknown(reason: string, failure: KubeFailure): BundleReading {
  const answered = failure.reason === 'forbidden' || failure.reason === 'not-found';
  return { bundle: { known: false, reason }, answered };
}
