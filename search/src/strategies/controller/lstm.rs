//! A layer of an LSTM (Hochreiter and Schmidhuber 1997; with forget gates, Gers et al. 2000), forward and back through
//! time, in plain arithmetic: what a controller needs is too small for a library.

/// Its size; its parameters lie at the beginning of a list: a row for each unit of each gate, with weights of the input
/// and of the output before, and then a bias for each. The gates are those of input, forgetting, new values and output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lstm {
    units: usize,
}

const GATES: usize = 4;

/// What a step hands on, an entry for each unit; or the derivative of a loss with respect to that.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// h of the papers.
    pub(super) output: Vec<f64>,
    /// c of the papers.
    memory: Vec<f64>,
}

/// A step, with all that its gradient needs.
pub(super) struct Cell {
    /// The input, and behind it the output before.
    read: Vec<f64>,
    memory_before: Vec<f64>,
    /// The gates, one after the other.
    gates: Vec<f64>,
    state: State,
}

impl Cell {
    /// What it hands on.
    pub(super) fn state(&self) -> &State {
        &self.state
    }
}

impl Lstm {
    pub(super) fn new(units: usize) -> Self {
        Self { units }
    }

    /// The number of its units.
    pub(super) fn units(&self) -> usize {
        self.units
    }

    /// How many parameters it has.
    pub(super) fn len(&self) -> usize {
        GATES * self.units * (2 * self.units + 1)
    }

    /// The state before the first step; also no derivative at all.
    pub(super) fn rest(&self) -> State {
        State { output: vec![0.0; self.units], memory: vec![0.0; self.units] }
    }

    fn rows<'p>(&self, parameters: &'p [f64]) -> (&'p [f64], &'p [f64]) {
        let (own, _) = parameters.split_at(self.len().min(parameters.len()));
        own.split_at((GATES * self.units * 2 * self.units).min(own.len()))
    }

    /// A step behind a state.
    pub(super) fn forward(&self, parameters: &[f64], input: &[f64], before: State) -> Cell {
        let State { output, memory: memory_before } = before;
        let read = [input, &output].concat();
        let (rows, biases) = self.rows(parameters);
        let sums = rows.chunks_exact((2 * self.units).max(1)).zip(biases);
        let mut gates: Vec<f64> = sums.map(|(row, bias)| dot(row, &read) + bias).collect();
        for (place, gate) in gates.iter_mut().enumerate() {
            *gate = if place / self.units.max(1) == 2 { gate.tanh() } else { sigmoid(*gate) };
        }
        let [input, forget, new, out] = quarters(&gates);
        let kept = forget.iter().zip(&memory_before).map(|(f, c)| f * c);
        let added = input.iter().zip(new).map(|(i, g)| i * g);
        let memory: Vec<f64> = kept.zip(added).map(|(kept, added)| kept + added).collect();
        let output = out.iter().zip(&memory).map(|(o, c)| o * c.tanh()).collect();
        Cell { read, memory_before, gates, state: State { output, memory } }
    }

    /// From the derivatives of a loss with respect to what a step hands on to those with respect to its input and to
    /// the state before it. Adds those with respect to the parameters to `sum`.
    pub(super) fn backward(
        &self,
        parameters: &[f64],
        cell: &Cell,
        behind: State,
        sum: &mut [f64],
    ) -> (Vec<f64>, State) {
        let [input, forget, new, out] = quarters(&cell.gates);
        let [mut by_input, mut by_forget, mut by_new, mut by_out] =
            [(); GATES].map(|()| Vec::with_capacity(self.units));
        let mut memory = Vec::with_capacity(self.units);
        let gates = input.iter().zip(forget).zip(new.iter().zip(out));
        let memories = cell.state.memory.iter().zip(&cell.memory_before);
        let slopes = behind.output.iter().zip(&behind.memory);
        for ((((i, f), (g, o)), (c, before)), (by_output, by_memory)) in
            gates.zip(memories).zip(slopes)
        {
            let bent = c.tanh();
            let by_memory = by_memory + by_output * o * (1.0 - bent * bent);
            by_input.push(by_memory * g * i * (1.0 - i));
            by_forget.push(by_memory * before * f * (1.0 - f));
            by_new.push(by_memory * i * (1.0 - g * g));
            by_out.push(by_output * bent * o * (1.0 - o));
            memory.push(by_memory * f);
        }
        let by_gates = [by_input, by_forget, by_new, by_out].concat();
        let (rows, _) = self.rows(parameters);
        let (sum_of_rows, rest) = sum.split_at_mut(rows.len().min(sum.len()));
        let width = (2 * self.units).max(1);
        let mut by_read = vec![0.0; 2 * self.units];
        let sums = sum_of_rows.chunks_exact_mut(width).zip(rest);
        for ((row, (sum, bias)), slope) in rows.chunks_exact(width).zip(sums).zip(&by_gates) {
            add_scaled(&mut by_read, row, *slope);
            add_scaled(sum, &cell.read, *slope);
            *bias += slope;
        }
        let output = by_read.split_off(self.units);
        (by_read, State { output, memory })
    }
}

/// Four parts of equal length.
fn quarters(all: &[f64]) -> [&[f64]; GATES] {
    let quarter = all.len() / GATES;
    let (front, back) = all.split_at(2 * quarter);
    let ((a, b), (c, d)) = (front.split_at(quarter), back.split_at(quarter));
    [a, b, c, d]
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// The sum of the products, as far as both go.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Adds a multiple, as far as both go.
pub(super) fn add_scaled(sum: &mut [f64], of: &[f64], factor: f64) {
    sum.iter_mut().zip(of).for_each(|(sum, of)| *sum += factor * of);
}
