/** The shape of a file of rules, from which config/bids-rules.schema.json is made. */
import { compilePattern, type Pattern } from '@scanflow/booking';
import { z } from 'zod';
import { DATATYPES } from '../names.ts';

const LONGEST_PATTERN = 500;
const MOST_RULES = 500;

const pattern = z
  .string({ error: ({ input }) => `expected a pattern, got ${JSON.stringify(input)}; put it in quotes` })
  .min(1)
  .max(LONGEST_PATTERN)
  .meta({ title: 'pattern' })
  .transform((source, context): Pattern => {
    const message = (text: string): never => {
      context.addIssue({ code: 'custom', message: `expected a regular expression: ${text}` });
      return z.NEVER;
    };
    try {
      const compiled = compilePattern(source, { ignoreCase: true });
      if (compiled.engine === 'linear') return compiled;
      const instead = compiled.advice?.split('; write ')[1] ?? 'it without';
      return message(`look-ahead, look-behind and back-references are not known here; write ${instead}`);
    } catch (error) {
      return message(error instanceof Error ? error.message : String(error));
    }
  });

/** One pattern or several, of which one has to match. */
const patterns = z.union([pattern, z.array(pattern).min(1)], {
  error: ({ errors }) =>
    (errors as { code: string; message: string }[][]).flat().find(({ code }) => code === 'custom')?.message ??
    'expected a pattern, or a list of patterns',
});

const values = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
    error: 'expected a value like DIS2D, or a list of values',
  })
  .describe('Values that Image Type (0008,0008) has to have, all of them, wherever they stand.');

const range = z.union(
  [z.number(), z.strictObject({ min: z.number().optional(), max: z.number().optional() })],
  { error: 'expected a number, or min and max like {min: 2}' },
);

const conditions = {
  name: patterns.optional().describe('Protocol Name or Series Description: one of the two has to match.'),
  protocolName: patterns.optional().describe('Protocol Name (0018,1030).'),
  seriesDescription: patterns.optional().describe('Series Description (0008,103E).'),
  sequenceName: patterns
    .optional()
    .describe('Sequence Name (0018,0024), or Pulse Sequence Name (0018,9005).'),
  imageType: values.optional(),
  mrAcquisitionType: z.enum(['2D', '3D']).optional().describe('MR Acquisition Type (0018,0023).'),
  modality: patterns.optional().describe('Modality (0008,0060), such as MR or PT.'),
  manufacturer: patterns.optional().describe('Manufacturer (0008,0070).'),
  model: patterns.optional().describe("Manufacturer's Model Name (0008,1090)."),
  scanner: patterns.optional().describe('Station Name (0008,1010), or the AE title that sent the series.'),
  part: z
    .enum(['mag', 'phase', 'real', 'imag'])
    .optional()
    .describe('The part of a complex image. `mag` also takes images that say nothing about it.'),
  echo: range.optional().describe('Number of the echo, from 1.'),
  echoes: range.optional().describe('How many echoes the series has.'),
  echoTime: range.optional().describe('Echo time in seconds.'),
  inversionTime: range.optional().describe('Inversion time in seconds.'),
  phaseEncodingDirection: z
    .enum(['i', 'i-', 'j', 'j-', 'k', 'k-'])
    .optional()
    .describe('As dcm2niix says it, along the axes of the image.'),
  highestBValue: range.optional().describe('Highest b-value in s/mm²; 0 where there is none.'),
  volumes: range.optional().describe('Volumes of the series.'),
  output: patterns.optional().describe('Name that dcm2niix gives the image, such as `…_fieldmaphz`.'),
  images: range.optional().describe('DICOM files of the series.'),
  seriesNumber: range.optional().describe('Series Number (0020,0011), for one series of one session.'),
  subject: patterns.optional().describe('Subject as booked, for decisions about one session.'),
  session: patterns.optional().describe('Session as booked, for decisions about one session.'),
};

const when = z
  .strictObject({
    ...conditions,
    not: z
      .strictObject(conditions)
      .optional()
      .describe('None of these may hold. `imageType` here: none of the values may be there.'),
  })
  .describe(
    'All conditions have to hold. Patterns search anywhere in the text, and upper and lower case are the same.',
  );

const why = z.string().min(1).max(300);

export const ruleSchema = z.strictObject({
  when,
  ignore: why.optional().describe('Leave it in the source data; the text says why.'),
  derivative: why
    .optional()
    .describe('It was computed from other images: leave it in the source data; the text says what it is.'),
  undecided: why
    .optional()
    .describe(
      'No later rule takes it. It stays in the source data as unknown; the text says what a person has to decide.',
    ),
  datatype: z.enum(DATATYPES).optional().describe('Folder of the dataset.'),
  suffix: z.string().min(1).max(32).optional().describe('Last word of the name, such as T1w or bold.'),
  entities: z
    .record(z.string(), z.union([z.string().min(1).max(64), z.int().min(0)]))
    .optional()
    .describe(
      'Entities of the name. `{task}` stands for the text that the group `(?<task>…)` of a pattern found. The plan itself adds `echo` and `part`.',
    ),
  metadata: z
    .record(z.string().min(1), z.json())
    .optional()
    .describe('Goes into the sidecar, over what dcm2niix wrote.'),
  minimumVolumes: z
    .int()
    .min(1)
    .optional()
    .describe('Fewer volumes are an aborted run. As many are a whole one, whatever the protocol planned.'),
  aslContext: z
    .strictObject({
      first: z.array(z.enum(['m0scan', 'control', 'label', 'deltam', 'cbf', 'n/a'])).optional(),
      then: z.array(z.enum(['control', 'label', 'deltam', 'cbf', 'm0scan', 'n/a'])).min(1),
    })
    .optional()
    .describe('Volumes of an ASL series: `first` once, `then` again and again up to the last volume.'),
});

export const rulesSchema = z.strictObject({
  reproin: z.boolean().default(true).describe('Whether names by ReproIn count, after these rules.'),
  shipped: z.boolean().default(true).describe('Whether the shipped rules count, after ReproIn.'),
  rules: z.array(ruleSchema).max(MOST_RULES).default([]).describe('The first rule that takes an image wins.'),
});

export type RuleText = z.output<typeof ruleSchema>;
export type When = z.output<typeof when>;

/** config/bids-rules.schema.json, for editors. */
export function rulesJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(rulesSchema, { io: 'input', reused: 'inline' });
  return `${JSON.stringify({ $schema, title: 'Rules of scanflow bids', ...schema }, null, 2)}\n`;
}
