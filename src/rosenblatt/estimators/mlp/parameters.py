"""What the parameters and attributes that `MLPClassifier` and `MLPRegressor` share mean.

Takes docstrings with placeholders. Returns them with descriptions. Never sees data.
"""

from __future__ import annotations

from rosenblatt.estimators.base import describe_parameters

__all__ = ["describe_shared_parameters"]

describe_shared_parameters = describe_parameters(
    training_parameters="""
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Number of units of each hidden layer. ``()`` means no hidden layer.
    activation : str or callable, or one for each hidden layer, default='relu'
        Activation of the hidden layers: a name in `rosenblatt.nn.activations.ACTIVATIONS`, or an instance such as
        ``rosenblatt.nn.LeakyReLU(alpha=0.1)``. A callable ``f(b, x)`` builds it from the ops of the builder `b` (see
        `rosenblatt.Builder`) and is differentiated automatically.
    solver : {'adam', 'sgd', 'lbfgs', 'adamw', 'nadam', 'rmsprop', 'adagrad'} or Optimizer, default='adam'
        'lbfgs' (L-BFGS-B) uses all rows at once, in float64. The others train on mini-batches. An instance such as
        ``rosenblatt.nn.RMSProp(momentum=0.9)`` has its own parameters.
    alpha : float >= 0, or one for each layer and the output layer, default=0.0001
        Strength of the L2 penalty: alpha / 2 * sum(weights**2) / (rows of the batch) is added to the loss.
    batch_size : int or 'auto', default='auto'
        Number of rows in a mini-batch. 'auto' means min(200, number of rows).
    learning_rate : {'constant', 'invscaling', 'adaptive'}, name of a schedule or Schedule, default='constant'
        Schedules (see `rosenblatt.nn.schedules`) change the rate in each step, for every solver that trains on
        mini-batches. Two modes affect 'sgd' only: 'invscaling' sets the rate to
        learning_rate_init / (samples seen + 1)**power_t after each epoch, and 'adaptive' divides it by 5 after
        `n_iter_no_change` epochs without progress, down to 1e-6.
    learning_rate_init : float > 0, default=0.001
        Learning rate in the first epoch.
    power_t : float >= 0, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Largest number of epochs or, for 'lbfgs', of iterations.
    shuffle : bool, default=True
        Whether to draw a new row order for each epoch.
    random_state : int, RandomState or None, default=None
        Source of the initial weights, the validation split and the row orders, which are drawn in this order.
    tol : float >= 0, default=1e-4
        Smaller improvements do not count as progress. 'lbfgs' stops when the largest entry of the gradient is below it.
    verbose : bool, default=False
        Whether to show the loss of each epoch: on a live line in a terminal or a notebook, elsewhere on lines.
    warm_start : bool, default=False
        Whether `fit` continues from the current weights.
    momentum : float in [0, 1], default=0.9
        Momentum of 'sgd'.
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum, if momentum > 0.
    early_stopping : bool, default=False
        Whether to set `validation_fraction` of the rows aside, stop when their score stalls, and keep the best weights.
    validation_fraction : float in [0, 1), default=0.1
        Share of the rows that `early_stopping` sets aside.
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay rates of Adam's moments.
    epsilon : float > 0, default=1e-8
        Number that is added to Adam's denominator.
    n_iter_no_change : int or inf, default=10
        Number of epochs without progress after which training ends.
    max_fun : int, default=15000
        Largest number of loss evaluations for 'lbfgs'.
    dtype : {'float32', 'float64'} or None, default=None
        Float type to compute in. None takes that of X (float64 for integers). Not in scikit-learn.
    """,
    network_parameters="""
    output_activation : str or None, default=None
        Activation of the output layer, which the loss must allow. None takes the natural one of the loss.
    weight_init, bias_init : str, Initializer or None; or a sequence with one for each layer; default=None
        Initial values (see `rosenblatt.nn.initializers`). If both are None, they are drawn as in scikit-learn. If only
        one is given, weights are drawn by Glorot's rule and biases are zero.
    l1 : float >= 0, or one for each layer and the output layer, default=0
        Strength of the L1 penalty: l1 * sum(abs(weights)) / (rows of the batch) is added to the loss.
    weight_decay : float >= 0, default=0
        Decoupled weight decay: before each step, weights are multiplied by 1 - learning rate * weight_decay (AdamW).
    max_norm : float >= 0, or one for each hidden layer, default=0
        Largest Euclidean norm of a neuron's weights, which are scaled down to it after each step. 0 means no limit.
    dropout : float in [0, 1), or one for each hidden layer, default=0
        Share of a layer's outputs that are set to zero in a training step. The others are scaled by 1 / (1 - dropout).
    input_dropout : float in [0, 1), default=0
        Dropout share for the columns of X.
    alpha_dropout : bool, default=False
        Whether dropout is alpha dropout, which preserves mean and variance after SELU.
    input_noise : float >= 0, default=0
        Standard deviation of the normal noise that is added to X in training.
    normalization : {'batch', 'layer'} or None, or one for each hidden layer, default=None
        Batch or layer normalization before the activation.
    norm_momentum : float in [0, 1), default=0.9
        Share of their previous values that the running statistics of batch normalization keep in each step.
    clip_value, clip_norm : float >= 0, default=0
        Limits for the magnitude of the gradient's elements and for its Euclidean norm. 0 means no limit.
    ema_decay : float in [0, 1), default=0
        Decay of an exponential moving average of the weights, which is used for validation and after training. 0 means
        no average.
    scoring : str, callable or None, default=None
        scikit-learn scorer for the validation set. None means accuracy for classes and R2 for numbers.
    gradient_statistics : bool, default=False
        Whether to record norm, vanishing share and dead neurons of each layer's gradient in ``history_``, by epoch.
    checkpoint : path or None, default=None
        Folder in which the training is saved, in a folder of its own for each combination of data, parameters and
        starting weights. The same call of `fit` resumes exactly where it stopped, even after the process was killed.
        ('lbfgs' restarts from scratch, with the same result.)
    checkpoint_every : int or str, default='30s'
        Number of steps between two checkpoints, or a time.
    """,
    history_attributes="""
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer, as writable views of the network's parameters.
        `predict` uses what is written to them or assigned in their place.
    loss_ : float
        Loss of the last epoch or iteration, including penalties.
    loss_curve_ : list of float
        Loss of each epoch, for solvers that train on mini-batches.
    history_ : History
        Columns with the loss, learning_rate, val_loss, val_score and gradient statistics of each epoch. `to_frame()`
        gives them as a data frame.
    fitted_parameters_ : dict
        The parameters that say what the outputs mean, as they were in the last fit. `predict` and model files use them.
    best_loss_ : float or None
        Smallest loss, or None with a validation set.
    """,
)
