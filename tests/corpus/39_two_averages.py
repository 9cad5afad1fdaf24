# Sums for the print and for the plot, each set back in its own time.
# %% setup

import torch, torch.nn as nn
torch.manual_seed(0)
pairs = [(torch.randn(1, 4), torch.randint(0, 3, (1,))) for _ in range(12)]

def train(x, target, model, optimizer, criterion, n_words=3):
    loss = 0
    optimizer.zero_grad()
    for word in range(n_words):
        loss += criterion(model(x + word), target)
    loss.backward()
    optimizer.step()
    return loss.item() / n_words
# %% track
def train_iters(model, n_iters, print_every=6, plot_every=3, learning_rate=0.01):
    plot_losses = []
    print_loss_total = 0
    plot_loss_total = 0
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    criterion = nn.CrossEntropyLoss()
    for iter in range(1, n_iters + 1):
        x, target = pairs[iter % len(pairs)]
        loss = train(x, target, model, optimizer, criterion)
        print_loss_total += loss
        plot_loss_total += loss
        if iter % print_every == 0:
            print_loss_avg = print_loss_total / print_every
            print_loss_total = 0
            print("(%d %d%%) %.4f" % (iter, iter / n_iters * 100, print_loss_avg))
        if iter % plot_every == 0:
            plot_loss_avg = plot_loss_total / plot_every
            plot_losses.append(plot_loss_avg)
            plot_loss_total = 0
    return plot_losses

plot_losses = train_iters(nn.Linear(4, 3), 24)
# %% expect
params = {"n_iters": 24, "print_every": 6, "plot_every": 3, "learning_rate": 0.01}
metrics = {"loss": 24, "plot_loss": "plot_losses", "print_loss_avg": 4}
axes = {"loss": ["iter"], "plot_loss": ["iter"]}
absent = ["plot_loss_avg", "plot_loss_total", "print_loss_total"]
