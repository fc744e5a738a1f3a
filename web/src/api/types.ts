/** The API's types under the names the pages use; all of them come from the committed document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Answer = Schemas['Answer'];
export type AnswerFact = Schemas['AnswerFact'];
export type Build = Schemas['Build'];
export type BuildSummary = Schemas['BuildSummary'];
export type BuiltImage = Schemas['BuiltImage'];
export type Comparison = Schemas['Comparison'];
export type Condition = Schemas['Condition'];
export type Companion = Schemas['Companion'];
export type Container = Schemas['Container'];
export type ContainerSummary = Schemas['ContainerSummary'];
export type Difference = Schemas['Difference'];
export type Event = Schemas['Event'];
export type Evidence = Schemas['Evidence'];
export type Finding = Schemas['Finding'];
export type FoundService = Schemas['FoundService'];
export type GeneratedDockerfile = Schemas['GeneratedDockerfile'];
export type ImageVerification = Schemas['ImageVerification'];
export type Job = Schemas['Job'];
export type JobLogLine = Schemas['JobLogLine'];
export type JobStep = Schemas['JobStep'];
export type LineFact = Schemas['LineFact'];
export type OpenQuestion = Schemas['OpenQuestion'];
export type Problem = Schemas['Problem'];
export type Project = Schemas['Project'];
export type PublishedPort = Schemas['PublishedPort'];
export type RegistryEntry = Schemas['RegistryEntry'];
export type Reply = Schemas['Reply'];
export type SavedDockerfile = Schemas['SavedDockerfile'];
export type Session = Schemas['Session'];
export type Verification = Schemas['Verification'];
