-- What a run writes down while it goes on. Epochs and trials are numbered from 0.

-- Where the run is: one row.
CREATE TABLE status (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    phase TEXT NOT NULL,
    done INTEGER NOT NULL, -- epochs of the phase (networks, when deriving)
    total INTEGER NOT NULL
) STRICT;

-- The epochs of the search and of the retraining.
CREATE TABLE epochs (
    phase TEXT NOT NULL CHECK (phase IN ('search', 'retrain')),
    epoch INTEGER NOT NULL,
    rate_first REAL NOT NULL, -- learning rate at the start of the epoch
    rate_last REAL NOT NULL, -- and at its end
    loss REAL NOT NULL, -- of the task, on the images that the weights learn from
    cost REAL NOT NULL, -- expected cost of the networks that these ran in, in units of the measure
    choice_loss REAL, -- of the task, on the images that the choices learn from
    choice_cost REAL,
    temperature REAL,
    entropy REAL, -- mean over the decisions, in nats
    probabilities TEXT, -- JSON: of each decision, the probability of each candidate
    pruned TEXT, -- JSON: the candidates that were taken out after the epoch
    forward INTEGER NOT NULL, -- images that went through networks
    backward INTEGER NOT NULL, -- and back
    digest TEXT NOT NULL, -- SHA-256 of the row and of the digest before it
    PRIMARY KEY (phase, epoch)
) STRICT;

-- The networks that were tried: what each chooses, and what it costs.
CREATE TABLE networks (
    network INTEGER PRIMARY KEY,
    choices TEXT NOT NULL UNIQUE, -- JSON: path of the decision -> candidate
    macs INTEGER NOT NULL,
    params INTEGER NOT NULL,
    weight_bytes INTEGER NOT NULL,
    peak_memory INTEGER NOT NULL, -- bytes
    peak_memory_is_bound INTEGER NOT NULL,
    latency INTEGER, -- nanoseconds
    depth INTEGER NOT NULL
) STRICT;

CREATE TABLE trials (
    trial INTEGER PRIMARY KEY,
    network INTEGER NOT NULL REFERENCES networks,
    drawn INTEGER NOT NULL, -- how often the strategy drew it
    uniform INTEGER NOT NULL, -- 1 where it was drawn uniformly, whatever was learned so far
    epochs INTEGER NOT NULL, -- of training of its own; 0 where it was scored with other weights
    best_epoch INTEGER, -- whose score it has, where it was scored after each
    forward INTEGER NOT NULL, -- images that went through networks
    backward INTEGER NOT NULL, -- and back
    failed TEXT, -- why it has no score
    digest TEXT NOT NULL -- SHA-256 of the row and of the digest before it
) STRICT;

-- What trials (phase `derive`) and epochs of the retraining score on the validation data.
CREATE TABLE metrics (
    phase TEXT NOT NULL CHECK (phase IN ('derive', 'retrain')),
    number INTEGER NOT NULL, -- of the trial, or of the epoch
    place INTEGER NOT NULL, -- the metric at 0 ranks
    metric TEXT NOT NULL,
    class INTEGER, -- of metrics of single classes, and of the rows of a confusion matrix
    predicted INTEGER, -- the class for which it was taken, of a confusion matrix
    value REAL, -- null for a class that does not occur
    direction TEXT, -- which values of the metric that ranks are better, where nasc does not know it
    PRIMARY KEY (phase, number, place)
) STRICT;

-- Wall times: all that two equal runs differ in.
CREATE TABLE timings (
    phase TEXT NOT NULL CHECK (phase IN ('search', 'derive', 'retrain')),
    number INTEGER NOT NULL, -- of the epoch, or of the trial
    seconds REAL NOT NULL,
    PRIMARY KEY (phase, number)
) STRICT;
