/** Attribute values of a series by keyword, as its first image has them. */
export type Attributes = Readonly<Record<string, string>>;
