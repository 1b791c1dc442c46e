import { kinds } from '../../src/resources/resources.ts';
import type { KubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { type Manifest, readManifest } from '../support/worlds/translated-world.ts';

/** What the decoders refuse of an object: their errors, not their warnings. */
export function decoderRefusals(object: Manifest): readonly string[] {
  const errors = readManifest(object).problems.filter(({ severity }) => severity === 'error');
  return errors.map(({ message }) => message);
}

/** What an API server did with an object that was not to be kept. */
export type ServerAnswer =
  | { readonly taken: true; readonly stored: Manifest }
  | { readonly taken: false; readonly message: string };

/** Asks the API server, which keeps nothing. `strict` is how kubectl asks: an unknown field is refused. */
export async function askServer(
  cluster: KubeApiServer,
  object: Manifest,
  validation: 'Ignore' | 'Strict' = 'Ignore',
): Promise<ServerAnswer> {
  const { apiVersion, plural } = kinds[object.kind];
  const path = `/apis/${apiVersion}/namespaces/default/${plural}?dryRun=All&fieldValidation=${validation}`;
  const { status, text } = await cluster.request(path, { method: 'POST', body: object });
  if (status === 201) return { taken: true, stored: JSON.parse(text) };
  // 400: of the wrong type; 422: invalid. Anything else is no verdict.
  if (status !== 400 && status !== 422) throw new Error(`${path} answered ${status}: ${text}`);
  const { message }: { message: string } = JSON.parse(text);
  return { taken: false, message };
}
