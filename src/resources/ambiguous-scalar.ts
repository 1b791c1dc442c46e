/**
 * Stands in a decoder's input for a plain YAML scalar that YAML 1.1 and YAML 1.2 read differently (`yes`, `010`), and
 * for the value of a key that they do. No decoder understands it; its message says "quote it".
 */
export class AmbiguousScalar {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
