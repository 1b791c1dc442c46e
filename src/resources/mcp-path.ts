import { isPlain } from './decode/formats.ts';
import type { Frame } from './decode/kind.ts';
import type { Report } from './decode/reporter.ts';
import { longerThan, type TextRule, text } from './decode/scalars.ts';
import type { Part } from './model.ts';
import { firstFault, ok } from './part.ts';

/** The first that is present decides. */
const ANNOTATIONS = ['kgateway.dev/mcp-path', 'agentgateway.dev/mcp-path'];

const URL_PATH: TextRule = {
  expected:
    'a path that begins with one "/" and has no "?", "#", backslash, space or control character (at most 1024 characters)',
  test: (value) => /^\/(?!\/)[^?#\\\s]*$/.test(value) && !longerThan(1024, value) && isPlain(value),
};

const urlPath = text(URL_PATH);

/** The path of a Service's MCP servers; empty when no annotation gives one. Annotations are read all or none. */
export function mcpPath(annotations: Frame['annotations'], report: Report): Part<string> {
  if (!annotations.ok) return annotations;
  const fault = firstFault(annotations.value.map(({ value }) => value));
  if (fault) return fault;
  for (const name of ANNOTATIONS) {
    const present = annotations.value.find(({ key }) => key === name);
    if (present?.value.ok) return urlPath(present.value.value, ['metadata', 'annotations', name], report);
  }
  return ok('');
}
