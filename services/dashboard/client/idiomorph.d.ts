/** The part of idiomorph that the board uses; the server serves the library beside our modules. */
export const Idiomorph: {
  /** Makes the first node like the second one, and keeps what is the same. */
  morph(now: Element, next: Element, options: { readonly ignoreActiveValue?: boolean }): void;
};
