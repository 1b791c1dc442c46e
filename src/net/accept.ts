/** The media types of MCP responses over Streamable HTTP. */
const offered = ['application/json', 'text/event-stream'] as const;

/**
 * Lists those of the media types of MCP that a client accepts, as the SDK transport expects them: it compares text, and
 * would answer 406 to the ranges of RFC 9110 §12.5.1, such as the one of all types.
 *
 * @param header the `Accept` header; without one, a client accepts everything
 */
export function acceptedTypes(header: string | undefined): string {
  const ranges = (header ?? '').split(',').map(parseRange);
  const accepted = isBlank(header) ? offered : offered.filter((type) => quality(ranges, type) > 0);
  return accepted.join(', ');
}

interface MediaRange {
  /** In lower case, without parameters: `text/html`, `text/*` or the range of all types. */
  readonly range: string;
  /** 0 to 1; 0 means "not acceptable". */
  readonly quality: number;
}

/** Ignores parameters other than `q`: the types of MCP have none. A quality that is no number counts as 1. */
function parseRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  return { range, quality: Number.isNaN(weight) ? 1 : weight };
}

/** The quality of the most specific range that fits; 0 without one. */
function quality(ranges: readonly MediaRange[], type: string): number {
  const [family = ''] = type.split('/');
  for (const specific of [type, `${family}/*`, '*/*']) {
    const found = ranges.find(({ range }) => range === specific);
    if (found !== undefined) return found.quality;
  }
  return 0;
}

function isBlank(header: string | undefined): boolean {
  return header === undefined || header.trim() === '';
}
