import type { KeptEntries } from '../../../rate/kept-entries.ts';
import type { NameMode } from '../../model.ts';
import { createNameIndex, type NameIndex } from './name-index.ts';
import { parsePortableName, portableName } from './portable-names.ts';
import { type QualifiedName, qualify, unqualify } from './qualified-names.ts';
import {
  exposeTemplate,
  exposeUri,
  isUiUri,
  parseExposedUri,
  type UriRewriter,
  uriRewriterOf,
} from './resource-uris.ts';

/**
 * What clients call the tools, prompts and resources of targets, by `--names`. Rules and the log always have the
 * qualified name.
 */
export interface Names {
  /** The name of a tool or prompt in lists. Two targets may have the same one with `bare`: see {@link distinct}. */
  exposeName(name: QualifiedName): string;
  /** The name of one that shares {@link exposeName} with another in the same list. */
  distinct(name: QualifiedName): string;
  /**
   * Parses the name of a tool or prompt. `listed`: it does not say its target, and {@link index} has it if it was
   * listed; or else it is `name`.
   */
  parseName(exposed: string): ParsedName;
  readonly index: NameIndex;
  /** Exposes the URI of a resource. `undefined`: it cannot be exposed. */
  exposeUri(resource: QualifiedName): string | undefined;
  exposeTemplate(template: QualifiedName): string | undefined;
  parseUri(exposed: string): QualifiedName | undefined;
  /** Returns the rewriter for one result of a target. */
  rewriterOf(target: string): UriRewriter;
}

type ParsedName =
  | { readonly kind: 'name'; readonly name: QualifiedName | undefined }
  | { readonly kind: 'listed'; readonly otherwise: QualifiedName | undefined };

const qualified: Omit<Names, 'index'> = {
  exposeName: qualify,
  distinct: qualify,
  parseName: (exposed) => ({ kind: 'name', name: unqualify(exposed) }),
  exposeUri: (resource) => (isUiUri(resource.name) ? resource.name : exposeUri(resource)),
  exposeTemplate,
  parseUri: parseExposedUri,
  rewriterOf: uriRewriterOf,
};

/**
 * Creates the names of a mode.
 *
 * @param onlyTarget returns the target when there is exactly one: with `bare`, its URIs are not changed either
 * @param isTarget with `bare` and several targets, a name that begins with one of them and a colon is qualified: what a
 *   target lists in that form is shown with its own target, so that it does not take the place of another's
 * @param kept room for names that do not say their target
 */
export function createNames(
  mode: NameMode,
  onlyTarget: () => string | undefined,
  isTarget: (name: string) => boolean,
  kept: KeptEntries,
): Names {
  if (mode === 'qualified') return { ...qualified, index: createNameIndex(kept, () => false) };
  if (mode === 'portable') {
    const isHashed = (exposed: string): boolean => parsePortableName(exposed)?.kind === 'hashed';
    return {
      ...qualified,
      exposeName: portableName,
      distinct: portableName,
      parseName(exposed) {
        const parsed = parsePortableName(exposed);
        return parsed?.kind === 'hashed' ? { kind: 'listed', otherwise: undefined } : { kind: 'name', name: parsed };
      },
      index: createNameIndex(kept, isHashed),
    };
  }
  const bareUri = ({ target, name }: QualifiedName): string | undefined => (target === onlyTarget() ? name : undefined);
  const parseQualified = (exposed: string): QualifiedName | undefined => {
    const parsed = unqualify(exposed);
    return parsed !== undefined && isTarget(parsed.target) ? parsed : undefined;
  };
  return {
    ...qualified,
    exposeName(name) {
      const isPlain = onlyTarget() !== undefined || parseQualified(name.name) === undefined;
      return isPlain ? name.name : qualify(name);
    },
    parseName(exposed) {
      const target = onlyTarget();
      if (target !== undefined) return { kind: 'name', name: { target, name: exposed } };
      const name = parseQualified(exposed);
      return name === undefined ? { kind: 'listed', otherwise: unqualify(exposed) } : { kind: 'name', name };
    },
    index: createNameIndex(kept, () => true),
    exposeUri: (resource) => bareUri(resource) ?? qualified.exposeUri(resource),
    exposeTemplate: (template) => bareUri(template) ?? exposeTemplate(template),
    parseUri(exposed) {
      const target = onlyTarget();
      return target === undefined ? parseExposedUri(exposed) : { target, name: exposed };
    },
    rewriterOf: (target) => (target === onlyTarget() ? (uri) => uri : uriRewriterOf(target)),
  };
}
