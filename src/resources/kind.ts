import { type Frame, frameReader, type KindDescription } from './decode/kind.ts';
import { createReport, type Report } from './decode/reporter.ts';
import type { Decoded, KindName, Part, ResourceByKind } from './model.ts';

/** One kind of object that counts: where it is found and how it is read. */
export interface Kind<K extends KindName> {
  readonly kind: K;
  readonly apiVersion: string;
  /** The resource's name in the path of an API request. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Decodes an object of this kind as JSON or YAML gives it; never throws. */
  readonly decode: (value: unknown) => Decoded<ResourceByKind[K]>;
}

/** A kind from its description and from what it makes of a frame; a fault says that `spec` has no readable frame either. */
export function defineKind<K extends KindName>(
  description: KindDescription<K>,
  read: (frame: Frame, report: Report) => Part<ResourceByKind[K]>,
): Kind<K> {
  const { kind, apiVersion, plural, namespaced } = description;
  const readFrame = frameReader(description);
  const decode = (value: unknown): Decoded<ResourceByKind[K]> => {
    const report = createReport();
    const { name, namespace, frame } = readFrame(value, report);
    const resource = frame.ok ? read(frame.value, report) : frame;
    const problems = report.problems();
    if (resource.ok) return { readable: true, resource: resource.value, problems };
    return { readable: false, kind, namespace, name, problems };
  };
  return { kind, apiVersion, plural, namespaced, decode };
}
