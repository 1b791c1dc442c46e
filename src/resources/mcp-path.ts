import { defaulted } from './decoder.ts';
import { entries } from './mapping.ts';
import type { Part, Path } from './model.ts';
import { firstFault, ok } from './part.ts';
import type { Report } from './report.ts';
import { isPlain } from './syntax.ts';
import { ANY_TEXT, longerThan, type TextRule, text } from './text.ts';

/** The first that is present decides. */
const ANNOTATIONS = ['kgateway.dev/mcp-path', 'agentgateway.dev/mcp-path'];

const URL_PATH: TextRule = {
  expected:
    'a path that begins with one "/" and has no "?", "#", backslash, space or control character (at most 1024 characters)',
  test: (value) => /^\/(?!\/)[^?#\\\s]*$/.test(value) && !longerThan(1024, value) && isPlain(value),
};

const annotationsDecoder = defaulted(entries(ANY_TEXT, text(ANY_TEXT)), []);
const urlPath = text(URL_PATH);

/** The path of a Service's MCP servers; empty when no annotation gives one. Annotations are read all or none. */
export function mcpPath(annotations: unknown, at: Path, report: Report): Part<string> {
  const read = annotationsDecoder(annotations, at, report);
  if (!read.ok) return read;
  const fault = firstFault(read.value.map(({ value }) => value));
  if (fault) return fault;
  for (const name of ANNOTATIONS) {
    const present = read.value.find(({ key }) => key === name);
    if (present?.value.ok) return urlPath(present.value.value, [...at, name], report);
  }
  return ok('');
}
