import { parse, type Tags, YAMLParseError } from 'yaml';

/**
 * What the text of a kubeconfig says. All of its fields but a few switches are text, so numbers are read as text, too: a
 * token, or a name, may look like one.
 *
 * @throws Error that says in words what is wrong, and quotes nothing: the text holds credentials
 */
export function parseKubeconfig(text: string): unknown {
  try {
    // An anchor may be used as often as its author likes: it is the user's own file.
    return parse(text, { merge: true, logLevel: 'silent', maxAliasCount: -1, customTags: withoutNumbers });
  } catch (error) {
    throw new Error(wordsOf(error));
  }
}

const numbers: readonly unknown[] = ['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float'];

function withoutNumbers(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !numbers.includes(tag.tag));
}

function wordsOf(error: unknown): string {
  if (!(error instanceof YAMLParseError)) return 'it is no YAML: an alias in it names no anchor';
  const [place] = error.linePos ?? [];
  const where = place === undefined ? '' : ` at line ${place.line}, column ${place.col}`;
  return `it is no YAML${where} (${error.code.toLowerCase().replaceAll('_', ' ')})`;
}
