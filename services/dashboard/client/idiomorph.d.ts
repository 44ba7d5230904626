/** The part of idiomorph that the board uses; the server serves the library beside our modules. */
export const Idiomorph: {
  /** Makes the first node like the second one, and keeps what is the same. */
  morph(now: Element, next: Element, options: MorphOptions): void;
};

interface MorphOptions {
  readonly ignoreActiveValue?: boolean;
  readonly callbacks?: {
    /** False: the node stays as it is. */
    readonly beforeNodeMorphed?: (now: Node) => boolean;
    /** False: the attribute stays as it is. */
    readonly beforeAttributeUpdated?: (name: string) => boolean;
  };
}
