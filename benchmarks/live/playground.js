/*
The algorithm of TensorFlow Playground (github.com/tensorflow/playground, nn.ts and playground.ts),
rewritten as the baseline of the benchmark: neurons and links are objects, examples are processed one
by one. So are the pixels of the map; at each pixel every neuron stores its output in a map of its own.
*/

const TANH = {
  output: (x) => Math.tanh(x),
  der: (x) => {
    const output = TANH.output(x);
    return 1 - output * output;
  },
};
const SQUARE = { der: (output, target) => output - target };
const FEATURES = {
  x: (x, y) => x,
  y: (x, y) => y,
  xSquared: (x, y) => x * x,
  ySquared: (x, y) => y * y,
  xTimesY: (x, y) => x * y,
  sinX: (x, y) => Math.sin(x),
  sinY: (x, y) => Math.sin(y),
};
const CHOSEN = { x: true, y: true };

class Neuron {
  inputLinks = [];
  outputs = [];
  bias = 0.1;
  totalInput = 0;
  output = 0;
  outputDer = 0;
  inputDer = 0;
  accInputDer = 0;
  numAccumulatedDers = 0;
  activation = TANH;

  constructor(id) {
    this.id = id;
  }

  updateOutput() {
    this.totalInput = this.bias;
    for (let j = 0; j < this.inputLinks.length; j++) {
      const link = this.inputLinks[j];
      this.totalInput += link.weight * link.source.output;
    }
    this.output = this.activation.output(this.totalInput);
    return this.output;
  }
}

class Link {
  weight = Math.random() - 0.5;
  isDead = false;
  errorDer = 0;
  accErrorDer = 0;
  numAccumulatedDers = 0;

  constructor(source, dest) {
    this.source = source;
    this.dest = dest;
  }
}

export function buildNetwork(shape) {
  let id = 1;
  const network = [];
  for (const count of shape) {
    const layer = Array.from({ length: count }, () => new Neuron(String(id++)));
    for (const neuron of layer)
      for (const source of network.at(-1) ?? []) {
        const link = new Link(source, neuron);
        source.outputs.push(link);
        neuron.inputLinks.push(link);
      }
    network.push(layer);
  }
  return network;
}

function constructInput(x, y) {
  const input = [];
  for (const name in FEATURES) if (CHOSEN[name]) input.push(FEATURES[name](x, y));
  return input;
}

function forwardProp(network, inputs) {
  const inputLayer = network[0];
  for (let i = 0; i < inputLayer.length; i++) inputLayer[i].output = inputs[i];
  for (let layer = 1; layer < network.length; layer++) {
    const neurons = network[layer];
    for (let i = 0; i < neurons.length; i++) neurons[i].updateOutput();
  }
  return network[network.length - 1][0].output;
}

function backProp(network, target, error) {
  const output = network[network.length - 1][0];
  output.outputDer = error.der(output.output, target);
  for (let layer = network.length - 1; layer >= 1; layer--) {
    const neurons = network[layer];
    for (let i = 0; i < neurons.length; i++) {
      const neuron = neurons[i];
      neuron.inputDer = neuron.outputDer * neuron.activation.der(neuron.totalInput);
      neuron.accInputDer += neuron.inputDer;
      neuron.numAccumulatedDers++;
    }
    for (let i = 0; i < neurons.length; i++) {
      const neuron = neurons[i];
      for (let j = 0; j < neuron.inputLinks.length; j++) {
        const link = neuron.inputLinks[j];
        if (link.isDead) continue;
        link.errorDer = neuron.inputDer * link.source.output;
        link.accErrorDer += link.errorDer;
        link.numAccumulatedDers++;
      }
    }
    if (layer === 1) continue;
    const previous = network[layer - 1];
    for (let i = 0; i < previous.length; i++) {
      const neuron = previous[i];
      neuron.outputDer = 0;
      for (let j = 0; j < neuron.outputs.length; j++) {
        const link = neuron.outputs[j];
        neuron.outputDer += link.weight * link.dest.inputDer;
      }
    }
  }
}

function updateWeights(network, rate) {
  for (let layer = 1; layer < network.length; layer++) {
    for (const neuron of network[layer]) {
      if (neuron.numAccumulatedDers > 0) {
        neuron.bias -= (rate * neuron.accInputDer) / neuron.numAccumulatedDers;
        neuron.accInputDer = 0;
        neuron.numAccumulatedDers = 0;
      }
      for (const link of neuron.inputLinks) {
        if (link.isDead || link.numAccumulatedDers === 0) continue;
        link.weight -= (rate / link.numAccumulatedDers) * link.accErrorDer;
        link.accErrorDer = 0;
        link.numAccumulatedDers = 0;
      }
    }
  }
}

/** One step of gradient descent over all points: `points` are { x, y, label }. */
export function step(network, points, rate) {
  points.forEach((point) => {
    forwardProp(network, constructInput(point.x, point.y));
    backProp(network, point.label, SQUARE);
  });
  updateWeights(network, rate);
}

function forEachNeuron(network, visit) {
  for (let layer = 1; layer < network.length; layer++) network[layer].forEach(visit);
}

/** The maps of all neurons, by their ids, `density` pixels wide and high. */
export function emptyMaps(network, density) {
  const maps = {};
  forEachNeuron(network, (neuron) => {
    maps[neuron.id] = Array.from({ length: density }, () => new Array(density).fill(0));
  });
  return maps;
}

export function updateMaps(network, maps, density) {
  for (let i = 0; i < density; i++)
    for (let j = 0; j < density; j++) {
      const x = -2 + (4 * i) / (density - 1);
      const y = 2 - (4 * j) / (density - 1);
      forwardProp(network, constructInput(x, y));
      forEachNeuron(network, (neuron) => {
        maps[neuron.id][i][j] = neuron.output;
      });
    }
}
