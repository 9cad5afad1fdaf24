"""How few components will do? PCA in front of a support vector machine."""
# %%
from sklearn import datasets, svm
from sklearn.decomposition import PCA
from sklearn.metrics import classification_report
# %%
digits = datasets.load_digits()
n = len(digits.images)
data = digits.images.reshape((n, -1))
# %%
def split_half():
    half = n // 2
    return data[:half], digits.target[:half], data[half:], digits.target[half:]

Xa, ya, Xb, yb = split_half()
# %%
clf = svm.SVC(gamma=0.001).fit(Xa, ya)
print(classification_report(yb, clf.predict(Xb)))
# %%
wrong = (clf.predict(Xb) != yb).nonzero()[0]
wrong[:10]
# %%
noisy = Xb.copy()
noisy[wrong] *= 0.5     # what if the contrast is the trouble
clf.score(noisy, yb)
# %%
%%track "pca before svm"
n_components_tried = [2, 4, 8, 12, 16, 24, 32]
for k in n_components_tried:
    pca = PCA(k, svd_solver="full").fit(Xa)
    clf = svm.SVC(C=5.0, gamma=0.001).fit(pca.transform(Xa), ya)
    acc = clf.score(pca.transform(Xb), yb)
    kept_score = pca.explained_variance_ratio_.sum()
    print(k, acc)
